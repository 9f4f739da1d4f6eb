convnet::convnet! {
    pub struct Pyramid {
        input(8x8x3),
        c2: [
            conv(4, 3x3, pad = 1), // 8x8x4
            relu,
        ],
        c3: [
            conv(5, 2x2, stride = 2), // 4x4x5
            relu,
        ],
        conv(6, 2x2, stride = 2), // 2x2x6
        relu,
        lateral: conv(3, 1x1), // 2x2x3
        p3: residual {
            upsample(2x2), // 4x4x3
            shortcut {
                from = c3,
                conv(3, 1x1), // 4x4x3
            },
        },
        p2: residual {
            upsample(2x2), // 8x8x3
            shortcut {
                from = c2,
                conv(3, 1x1), // 8x8x3
                relu,
            },
        },
        n3: concat {
            [
                conv(2, 2x2, stride = 2), // 4x4x2
                relu,
            ],
            [
                from = p3,
            ],
        }, // 4x4x5
        squeeze: conv(3, 1x1), // 4x4x3
        n4: residual {
            max_pool(2x2), // 2x2x3
            shortcut {
                from = lateral,
            },
        },
        concat {
            [
                from = relu1,
                conv(2, 1x1), // 2x2x2
                relu,
            ],
            [],
            [
                from = input,
                avg_pool(4x4), // 2x2x3
            ],
        }, // 2x2x8
        scores: fc(4), // 1x1x4
    }
}

convnet::convnet! {
    pub struct Names {
        input(4x4x2),
        sigmoid,
        stem: [
            a: conv(3, 3x3, pad = 1), // 4x4x3
            tanh,
            b: conv(3, 1x1),
        ],
        a1: conv(3, 1x1),
        relu,
        residual {
            conv(3, 1x1),
            shortcut {
                from = a1,
                tanh,
            },
        },
        a2: conv(3, 1x1),
        relu,
        residual {
            conv(3, 1x1),
            shortcut {
                from = a2,
                tanh,
            },
        },
        way: residual {
            a: conv(3, 1x1),
            concat {
                [],
                [
                    from = stem.a,
                    tanh,
                ],
                [
                    conv(1, 1x1), // 4x4x1
                    residual {
                        relu,
                        shortcut {
                            from = way.a,
                            conv(1, 1x1), // 4x4x1
                        },
                    },
                ],
            }, // 4x4x7
            conv(3, 1x1), // 4x4x3
            shortcut {
                from = a2,
            },
        },
        batch_norm,
        residual {
            relu,
            shortcut {
                from = stem,
            },
        },
        residual {
            shortcut {
                from = stem.a,
            },
        },
        residual {
            shortcut {
                from = residual5,
                tanh,
            },
        },
        concat {
            [
                from = way,
                relu,
            ],
            [
                from = input,
                tanh,
            ],
            [],
        }, // 4x4x8
        scale {
            global_avg_pool, // 1x1x8
            conv(8, 1x1),
            residual {
                sigmoid,
                shortcut {
                    from = residual2,
                    global_avg_pool, // 1x1x3
                    conv(8, 1x1), // 1x1x8
                },
            },
        },
        fc(3), // 1x1x3
    }
}

convnet::convnet! {
    pub struct Heads {
        input(4x4x2),
        fine: [
            conv(3, 3x3, pad = 1), // 4x4x3
            relu,
        ],
        coarse: conv(4, 2x2, stride = 2), // 2x2x4
        relu,
        up: residual {
            conv(3, 1x1), // 2x2x3
            upsample(2x2), // 4x4x3
            shortcut {
                from = fine,
            },
        },
        outputs {
            large: [
                from = coarse,
                conv(2, 1x1), // 2x2x2
            ],
            image: [
                from = input,
                tanh,
            ],
            small: [
                conv(2, 1x1), // 4x4x2
            ],
        }, // 1x1x72
    }
}

convnet::convnet! {
    pub struct Pan {
        input(16x16x3),
        c3: [
            conv(6, 2x2, stride = 2, bias = none), // 8x8x6
            batch_norm,
            silu,
        ],
        c4: [
            conv(8, 2x2, stride = 2, bias = none), // 4x4x8
            batch_norm,
            silu,
        ],
        c5: [
            conv(12, 2x2, stride = 2, bias = none), // 2x2x12
            batch_norm,
            silu,
        ],
        reduce5: [
            conv(8, 1x1), // 2x2x8
            silu,
        ],
        upsample(2x2), // 4x4x8
        concat {
            [],
            [
                from = c4,
            ],
        }, // 4x4x16
        reduce4: [
            conv(6, 1x1), // 4x4x6
            silu,
        ],
        upsample(2x2), // 8x8x6
        concat {
            [],
            [
                from = c3,
            ],
        }, // 8x8x12
        p3: [
            conv(6, 3x3, pad = 1), // 8x8x6
            silu,
        ],
        conv(6, 2x2, stride = 2), // 4x4x6
        concat {
            [
                silu,
            ],
            [
                from = reduce4,
            ],
        }, // 4x4x12
        p4: [
            conv(8, 3x3, pad = 1), // 4x4x8
            silu,
        ],
        conv(8, 2x2, stride = 2), // 2x2x8
        concat {
            [
                silu,
            ],
            [
                from = reduce5,
            ],
        }, // 2x2x16
        p5: [
            conv(12, 3x3, pad = 1), // 2x2x12
            silu,
        ],
        outputs {
            large: [
                boxes: conv(4, 1x1), // 2x2x4
            ],
            middle: [
                from = p4,
                boxes: conv(4, 1x1), // 4x4x4
            ],
            small: [
                from = p3,
                boxes: conv(4, 1x1), // 8x8x4
                sigmoid,
            ],
        }, // 1x1x336
    }
}

convnet::convnet! {
    pub struct UNet {
        input(16x16x1),
        down1: [
            conv(4, 3x3, pad = 1), // 16x16x4
            relu,
            conv(4, 3x3, pad = 1),
            relu,
        ],
        max_pool(2x2), // 8x8x4
        down2: [
            conv(8, 3x3, pad = 1), // 8x8x8
            relu,
            conv(8, 3x3, pad = 1),
            relu,
        ],
        max_pool(2x2), // 4x4x8
        bottom: [
            conv(16, 3x3, pad = 1), // 4x4x16
            relu,
        ],
        conv_transpose(8, 2x2, stride = 2), // 8x8x8
        concat {
            [
                from = down2,
            ],
            [],
        }, // 8x8x16
        up2: [
            conv(8, 3x3, pad = 1), // 8x8x8
            relu,
            conv(8, 3x3, pad = 1),
            relu,
        ],
        conv_transpose(4, 2x2, stride = 2), // 16x16x4
        concat {
            [
                from = down1,
            ],
            [],
        }, // 16x16x8
        up1: [
            conv(4, 3x3, pad = 1), // 16x16x4
            relu,
            conv(4, 3x3, pad = 1),
            relu,
        ],
        scores: conv(2, 1x1), // 16x16x2
    }
}

convnet::convnet! {
    pub struct Tangle {
        input(4x4x2),
        a: conv(3, 3x3, pad = 1), // 4x4x3
        relu,
        b: [
            conv(3, 1x1),
            residual {
                relu,
            },
        ],
        concat {
            [
                from = a,
                concat {
                    [
                        from = b,
                    ],
                    [],
                }, // 4x4x6
            ],
            [],
            [
                from = input,
                conv(2, 1x1),
            ],
        }, // 4x4x11
        conv(3, 1x1), // 4x4x3
        residual {
            shortcut {
                from = a,
                residual {
                    shortcut {
                        from = b,
                    },
                },
            },
        },
        residual {
            residual {
                shortcut {
                    from = relu1,
                },
            },
            shortcut {
                from = b.conv1,
            },
        },
        outputs {
            seen: [
                from = b,
            ],
            same: [],
        },
        concat {
            [
                conv(1, 1x1), // 4x4x1
                outputs {
                    thin: [],
                },
                relu,
            ],
            [
                from = relu1,
            ],
            [
                concat {
                    [],
                    [
                        from = a,
                    ],
                }, // 4x4x6
            ],
        }, // 4x4x10
        conv(3, 1x1), // 4x4x3
        network1: [
            conv(3, 1x1),
            residual {
                tanh,
                shortcut {
                    from = conv3,
                },
            },
        ],
        stage: [
            a: conv(3, 1x1),
            residual {
                outputs {
                    eye: [
                        from = input,
                        tanh,
                    ],
                },
                conv(3, 1x1),
                outputs {
                    on: [
                        from = stage.a,
                        tanh,
                    ],
                },
            },
            residual {
                relu,
                shortcut {
                    from = stage.a,
                    conv(3, 1x1),
                },
            },
        ],
        [
            conv(3, 1x1),
            residual {
                relu,
                shortcut {
                    from = stage,
                },
            },
        ] * 3,
        affine,
        affine,
        outputs {
            all: [
                from = a,
                fc(2), // 1x1x2
            ],
        },
        scale {
            global_avg_pool, // 1x1x3
            outputs {
                gate: [],
            },
            residual {
                sigmoid,
                shortcut {
                    from = residual2,
                    global_avg_pool, // 1x1x3
                },
            },
        },
        fc(5), // 1x1x5
        outputs {
            other: [
                from = stage.a,
            ],
            scores: [],
        }, // 1x1x250
    }
}

convnet::convnet! {
    pub struct Gates {
        input(4x4x3),
        stem: conv(4, 3x3, pad = 1), // 4x4x4
        squeezed: scale {
            global_avg_pool, // 1x1x4
            narrow: conv(2, 1x1), // 1x1x2
            relu,
            residual {
                conv(4, 1x1), // 1x1x4
                shortcut {
                    from = stem,
                    global_avg_pool, // 1x1x4
                },
            },
            sigmoid,
        },
        conv(4, 1x1),
        residual {
            relu,
            shortcut {
                from = squeezed,
            },
        },
        masked: scale {
            conv(4, 1x1),
            concat {
                [
                    from = stem,
                    conv(2, 1x1), // 4x4x2
                ],
                [
                    conv(2, 1x1), // 4x4x2
                ],
            }, // 4x4x4
            sigmoid,
        },
        residual {
            relu,
            shortcut {
                from = masked.conv1,
                scale {
                    sigmoid,
                },
            },
        },
        scale {
            residual {
                shortcut {
                    from = squeezed,
                },
            },
        },
        network1: [
            scale {
                global_avg_pool, // 1x1x4
                residual {
                    tanh,
                    shortcut {
                        from = scale3,
                        global_avg_pool, // 1x1x4
                    },
                },
            },
        ],
        residual {
            scale {
                outputs {
                    seen: [
                        from = masked,
                    ],
                },
                tanh,
            },
            shortcut {
                from = scale3,
            },
        },
        concat {
            [
                from = squeezed.narrow,
                upsample(4x4), // 4x4x2
            ],
            [
                scale {
                    scale {
                        tanh,
                    },
                },
            ],
            [
                from = masked,
                scale {
                    global_avg_pool, // 1x1x4
                    residual {
                        shortcut {
                            from = squeezed.narrow,
                            conv(4, 1x1), // 1x1x4
                        },
                    },
                },
            ],
        }, // 4x4x10
        outputs {
            scores: [
                fc(2), // 1x1x2
            ],
            gate: [
                from = squeezed.sigmoid1,
            ],
        }, // 1x1x70
    }
}

convnet::convnet! {
    pub struct Inside {
        input(4x4x2),
        a: [
            conv(3, 3x3, pad = 1), // 4x4x3
            relu,
        ],
        network1: [
            a: conv(3, 1x1),
            residual {
                tanh,
                shortcut {
                    from = a.relu1,
                },
            },
        ],
        a2: [
            conv(3, 1x1),
            a: [
                a: conv(3, 1x1),
                residual {
                    tanh,
                    shortcut {
                        from = a2.conv1,
                    },
                },
            ],
        ],
        stage: [
            a: [
                a: conv(3, 1x1),
                residual {
                    tanh,
                    shortcut {
                        from = a2,
                    },
                },
            ],
            b: [
                a: conv(3, 1x1),
                residual {
                    tanh,
                    shortcut {
                        from = stage.a,
                    },
                },
            ],
            network3: [
                a: conv(3, 1x1),
                residual {
                    tanh,
                    shortcut {
                        from = stage.b,
                    },
                },
            ],
        ],
        residual {
            relu,
            shortcut {
                from = a,
            },
        },
        scores: fc(2), // 1x1x2
    }
}

convnet::convnet! {
    pub struct Hidden {
        input(4x4x2),
        a: [
            conv(3, 3x3, pad = 1), // 4x4x3
            relu,
            fork1: flatten,
        ],
        network1: [
            a: [
                conv(3, 1x1),
                relu,
            ],
            residual {
                tanh,
                shortcut {
                    from = a.fork1,
                },
            },
        ],
        residual {
            relu,
            shortcut {
                from = a,
            },
        },
        scores: fc(2), // 1x1x2
    }
}

convnet::convnet! {
    pub struct Single {
        input(4x4x2),
        a: conv(3, 3x3, pad = 1), // 4x4x3
        fork1: flatten,
        network1: [
            a: conv(3, 1x1),
            residual {
                tanh,
                shortcut {
                    from = fork1,
                },
            },
        ],
        residual {
            relu,
            shortcut {
                from = fork1,
            },
        },
        scores: fc(2), // 1x1x2
    }
}

convnet::convnet! {
    pub struct Block {
        input(4x4x3),
        a: residual {
            conv(3, 1x1),
            relu,
        },
        fork1: flatten,
        network1: [
            a: conv(3, 1x1),
            residual {
                tanh,
                shortcut {
                    from = fork1,
                },
            },
        ],
        stage: [
            a: conv(3, 1x1),
            network1: [
                a: conv(3, 1x1),
                residual {
                    tanh,
                    shortcut {
                        from = stage.a,
                    },
                },
            ],
            a2: [
                a: conv(3, 1x1),
                residual {
                    tanh,
                    shortcut {
                        from = stage.network1,
                    },
                },
            ],
        ],
        scores: fc(2), // 1x1x2
    }
}
