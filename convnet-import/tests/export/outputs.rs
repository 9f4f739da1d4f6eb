convnet::convnet! {
    pub struct PanMiddle {
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
        middle: [
            boxes: conv(4, 1x1), // 4x4x4
        ],
    }
}

convnet::convnet! {
    pub struct DownMiddle {
        input(16x8x3),
        stem: conv(6, 3x3, pad = 1), // 16x8x6
        relu,
        stage2: [
            conv(8, 2x2, stride = 2), // 8x4x8
            relu,
        ],
    }
}

convnet::convnet! {
    pub struct UpCoarse {
        input(16x8x3),
        conv(6, 3x3, pad = 1), // 16x8x6
        relu,
        concat1: [
            conv(8, 2x2, stride = 2), // 8x4x8
            relu,
            concat1: [
                conv(8, 2x2, stride = 2), // 4x2x8
                relu,
            ],
        ],
        coarse: [
            conv(2, 1x1), // 4x2x2
        ],
    }
}

convnet::convnet! {
    pub struct Bottom {
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
    }
}

convnet::convnet! {
    pub struct Seen {
        input(4x4x2),
        concat1: [
            relu,
            residual2: residual {
                conv(2, 1x1),
                relu,
            },
        ],
    }
}

convnet::convnet! {
    pub struct Thin {
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
        concat2: [
            conv(1, 1x1), // 4x4x1
        ],
    }
}

convnet::convnet! {
    pub struct On {
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
        concat {
            [
                conv(1, 1x1), // 4x4x1
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
        ],
        on: [
            tanh,
        ],
    }
}

convnet::convnet! {
    pub struct Gate {
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
        concat {
            [
                conv(1, 1x1), // 4x4x1
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
                conv(3, 1x1),
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
        scale1: [
            global_avg_pool, // 1x1x3
        ],
    }
}
