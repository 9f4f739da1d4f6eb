const _: fn(::convnet::generated::dsl::input) = |a| {
    let _ = &a;
};
const _: fn(::convnet::generated::dsl::conv) = |a| {
    let _ = &a;
    let _ = a.pad;
};
const _: fn(::convnet::generated::dsl::relu) = |a| {
    let _ = &a;
};
const _: fn(::convnet::generated::dsl::max_pool) = |a| {
    let _ = &a;
    let _ = a.stride;
};
const _: fn(::convnet::generated::dsl::fc) = |a| {
    let _ = &a;
};
#[doc(hidden)]
const __GRAPH_OF_Cifar: &[::convnet::generated::graph::Node<'static>] = &[
    ::convnet::generated::graph::Node {
        name: "conv1",
        op: ::convnet::generated::graph::Op::Conv {
            filters: 12,
            groups: 1,
            bias: true,
            window: ::convnet::generated::shape::Window {
                size: [5, 5],
                dilation: [1, 1],
                stride: [1, 1],
                padding: ::convnet::generated::shape::Padding::Zeros {
                    top: 2,
                    bottom: 2,
                    left: 2,
                    right: 2,
                },
                fit: ::convnet::generated::shape::Fit::Exact,
            },
        },
        volume: [32usize, 32usize, 12usize],
    },
    ::convnet::generated::graph::Node {
        name: "relu1",
        op: ::convnet::generated::graph::Op::Relu,
        volume: [32usize, 32usize, 12usize],
    },
    ::convnet::generated::graph::Node {
        name: "max_pool1",
        op: ::convnet::generated::graph::Op::MaxPool {
            window: ::convnet::generated::shape::Window {
                size: [2, 2],
                dilation: [1, 1],
                stride: [2, 2],
                padding: ::convnet::generated::shape::Padding::Zeros {
                    top: 0,
                    bottom: 0,
                    left: 0,
                    right: 0,
                },
                fit: ::convnet::generated::shape::Fit::Exact,
            },
        },
        volume: [16usize, 16usize, 12usize],
    },
    ::convnet::generated::graph::Node {
        name: "scores",
        op: ::convnet::generated::graph::Op::Fc {
            filters: 10,
            bias: true,
        },
        volume: [1usize, 1usize, 10usize],
    },
];
/// CS231n's example network for CIFAR-10.
///
/**```text
pub struct Cifar {
    input(32x32x3),
    conv1: conv(12, 5x5, pad = 2),
    relu,
    max_pool(2x2, stride = 2),
    scores: fc(10),
}
```*/
///
/**| layer | what | volume | sees | parameters | multiply-adds | bytes |
|---|---|--:|--:|--:|--:|--:|
| input |  | 32x32x3 |  |  |  | 12,288 |
| conv1 | conv 12 of 5x5, pad 2 | 32x32x12 | 5x5 | 912 | 921,600 | 49,152 |
| relu1 | relu | 32x32x12 | 5x5 | 0 | 0 | 49,152 |
| max_pool1 | max_pool 2x2, stride 2 | 16x16x12 | 6x6 | 0 | 0 | 12,288 |
| scores | fc 10 | 1x1x10 | 32x32 | 30,730 | 30,720 | 40 |
| total |  |  |  | 31,642 | 952,320 |  |

f32: parameters 126,568 bytes, arena 61,440, tape 110,592*/
#[repr(C)]
pub struct Cifar<T = ::core::primitive::f32> {
    ///`conv`: 12 of 5x5, pad 2; writes 32x32x12, 912 parameters.
    pub conv1: ::convnet::generated::layer::Conv<
        T,
        5,
        5,
        3,
        12,
        ::convnet::generated::layer::Slide<1, 1, 2, 2>,
    >,
    ///`fc`: 10; writes 1x1x10, 30730 parameters.
    pub scores: ::convnet::generated::layer::Fc<T, 16, 16, 12, 10>,
}
unsafe impl<T: ::convnet::generated::Real> ::convnet::generated::__private::Zeroable
for Cifar<T> {}
const _: () = {
    #[allow(dead_code)]
    fn only<T: ::convnet::generated::Real>(it: &Cifar<T>) {
        let Cifar { conv1: _, scores: _ } = it;
        let _: *const ::convnet::generated::layer::Conv<
            T,
            5,
            5,
            3,
            12,
            ::convnet::generated::layer::Slide<1, 1, 2, 2>,
        > = &raw const it.conv1;
        let _: *const ::convnet::generated::layer::Fc<T, 16, 16, 12, 10> = &raw const it
            .scores;
    }
};
impl<T: ::convnet::generated::Real> ::convnet::generated::Parameters for Cifar<T> {
    type Scalar = T;
    const TENSORS: &'static [::convnet::generated::Tensor] = &[
        ::convnet::generated::Tensor {
            name: "conv1.filters",
            role: ::convnet::generated::Role::Filters,
            shape: &[5, 5, 3, 12],
        },
        ::convnet::generated::Tensor {
            name: "conv1.bias",
            role: ::convnet::generated::Role::Bias,
            shape: &[12],
        },
        ::convnet::generated::Tensor {
            name: "scores.filters",
            role: ::convnet::generated::Role::Weights,
            shape: &[16, 16, 12, 10],
        },
        ::convnet::generated::Tensor {
            name: "scores.bias",
            role: ::convnet::generated::Role::Bias,
            shape: &[10],
        },
    ];
    fn tensor(&self, index: ::core::primitive::usize) -> &[T] {
        match index {
            0 => self.conv1.filters.as_flattened().as_flattened().as_flattened(),
            1 => &self.conv1.bias,
            2 => self.scores.filters.as_flattened().as_flattened().as_flattened(),
            3 => &self.scores.bias,
            _ => &[],
        }
    }
    fn tensor_mut(&mut self, index: ::core::primitive::usize) -> &mut [T] {
        match index {
            0 => {
                self.conv1
                    .filters
                    .as_flattened_mut()
                    .as_flattened_mut()
                    .as_flattened_mut()
            }
            1 => &mut self.conv1.bias,
            2 => {
                self.scores
                    .filters
                    .as_flattened_mut()
                    .as_flattened_mut()
                    .as_flattened_mut()
            }
            3 => &mut self.scores.bias,
            _ => &mut [],
        }
    }
}
impl<T: ::convnet::generated::Real> ::convnet::generated::Network for Cifar<T> {
    type Input = ::convnet::generated::Volume<T, 32, 32, 3>;
    type Output = ::convnet::generated::Volume<T, 1, 1, 10>;
    type Arena = ::convnet::generated::Overlay<T, 15360>;
    const LAYERS: &'static [::convnet::generated::plan::LayerInfo<'static>] = &[
        ::convnet::generated::plan::LayerInfo {
            name: "conv1",
            op: &__GRAPH_OF_Cifar[0usize].op,
            volume: [32usize, 32usize, 12usize],
            lost: [0usize, 0usize],
            added: [0usize, 0usize],
            field: [5usize, 5usize],
            jump: [1usize, 1usize],
            parameters: 912usize,
            fixed: 0usize,
            macs: 921600u64,
        },
        ::convnet::generated::plan::LayerInfo {
            name: "relu1",
            op: &__GRAPH_OF_Cifar[1usize].op,
            volume: [32usize, 32usize, 12usize],
            lost: [0usize, 0usize],
            added: [0usize, 0usize],
            field: [5usize, 5usize],
            jump: [1usize, 1usize],
            parameters: 0usize,
            fixed: 0usize,
            macs: 0u64,
        },
        ::convnet::generated::plan::LayerInfo {
            name: "max_pool1",
            op: &__GRAPH_OF_Cifar[2usize].op,
            volume: [16usize, 16usize, 12usize],
            lost: [0usize, 0usize],
            added: [0usize, 0usize],
            field: [6usize, 6usize],
            jump: [2usize, 2usize],
            parameters: 0usize,
            fixed: 0usize,
            macs: 0u64,
        },
        ::convnet::generated::plan::LayerInfo {
            name: "scores",
            op: &__GRAPH_OF_Cifar[3usize].op,
            volume: [1usize, 1usize, 10usize],
            lost: [0usize, 0usize],
            added: [0usize, 0usize],
            field: [32usize, 32usize],
            jump: [2usize, 2usize],
            parameters: 30730usize,
            fixed: 0usize,
            macs: 30720u64,
        },
    ];
    const GRAPH: &'static [::convnet::generated::graph::Node<'static>] = __GRAPH_OF_Cifar;
    fn forward<'a>(
        &self,
        input: &Self::Input,
        memory: &'a mut Self::Arena,
    ) -> &'a Self::Output {
        ::convnet::generated::Network::forward_watched(self, input, memory, &mut ())
    }
    fn forward_watched<'a>(
        &self,
        input: &Self::Input,
        memory: &'a mut Self::Arena,
        watch: &mut impl ::convnet::generated::network::observe::Watch<T>,
    ) -> &'a Self::Output {
        ::convnet::generated::Layer::forward(
            &self.conv1,
            input,
            memory.at_mut::<::convnet::generated::Volume<T, 32, 32, 12>, 0>(),
        );
        ::convnet::generated::network::observe::see(
            watch,
            0,
            memory.at::<::convnet::generated::Volume<T, 32, 32, 12>, 0>(),
        );
        ::convnet::generated::Activation::forward(
            &::convnet::generated::layer::Relu,
            memory.at_mut::<::convnet::generated::Volume<T, 32, 32, 12>, 0>(),
        );
        ::convnet::generated::network::observe::see(
            watch,
            1,
            memory.at::<::convnet::generated::Volume<T, 32, 32, 12>, 0>(),
        );
        let (x, y) = memory
            .pair::<
                ::convnet::generated::Volume<T, 32, 32, 12>,
                0,
                ::convnet::generated::Volume<T, 16, 16, 12>,
                12288,
            >();
        ::convnet::generated::Layer::forward(
            &::convnet::generated::layer::MaxPool::<
                2,
                2,
                ::convnet::generated::layer::Slide<2, 2, 0, 0>,
            >::new(),
            x,
            y,
        );
        ::convnet::generated::network::observe::see(
            watch,
            2,
            memory.at::<::convnet::generated::Volume<T, 16, 16, 12>, 12288>(),
        );
        let (x, y) = memory
            .pair::<
                ::convnet::generated::Volume<T, 16, 16, 12>,
                12288,
                ::convnet::generated::Volume<T, 1, 1, 10>,
                0,
            >();
        ::convnet::generated::Layer::forward(&self.scores, x, y);
        ::convnet::generated::network::observe::see(
            watch,
            3,
            memory.at::<::convnet::generated::Volume<T, 1, 1, 10>, 0>(),
        );
        memory.at::<::convnet::generated::Volume<T, 1, 1, 10>, 0>()
    }
}
impl<T: ::convnet::generated::Real> ::convnet::generated::Trainable for Cifar<T> {
    type Tape = ::convnet::generated::Overlay<T, 27648>;
    fn forward_train<'a>(
        &self,
        input: &Self::Input,
        memory: &'a mut Self::Tape,
        seed: ::core::primitive::u64,
    ) -> &'a Self::Output {
        ::convnet::generated::Trainable::forward_segment_watched(
            self,
            0,
            input,
            memory,
            seed,
            &mut (),
        )
    }
    fn backward(
        &self,
        input: &Self::Input,
        d_input: ::core::option::Option<&mut Self::Input>,
        memory: &mut Self::Tape,
        d_output: &Self::Output,
        gradient: &mut Self,
    ) {
        ::convnet::generated::Trainable::backward_segment_watched(
            self,
            0,
            input,
            d_input,
            memory,
            d_output,
            gradient,
            &mut (),
        );
    }
    fn forward_segment_watched<'a>(
        &self,
        segment: ::core::primitive::usize,
        input: &Self::Input,
        memory: &'a mut Self::Tape,
        seed: ::core::primitive::u64,
        watch: &mut impl ::convnet::generated::network::observe::Watch<T>,
    ) -> &'a Self::Output {
        let _ = (segment, &watch);
        let _ = seed;
        ::convnet::generated::Layer::forward(
            &self.conv1,
            input,
            memory.at_mut::<::convnet::generated::Volume<T, 32, 32, 12>, 0>(),
        );
        ::convnet::generated::network::observe::see_mut(
            watch,
            0,
            memory.at_mut::<::convnet::generated::Volume<T, 32, 32, 12>, 0>(),
        );
        ::convnet::generated::Activation::forward(
            &::convnet::generated::layer::Relu,
            memory.at_mut::<::convnet::generated::Volume<T, 32, 32, 12>, 0>(),
        );
        ::convnet::generated::network::observe::see_mut(
            watch,
            1,
            memory.at_mut::<::convnet::generated::Volume<T, 32, 32, 12>, 0>(),
        );
        let (x, y) = memory
            .pair::<
                ::convnet::generated::Volume<T, 32, 32, 12>,
                0,
                ::convnet::generated::Volume<T, 16, 16, 12>,
                12288,
            >();
        ::convnet::generated::Layer::forward(
            &::convnet::generated::layer::MaxPool::<
                2,
                2,
                ::convnet::generated::layer::Slide<2, 2, 0, 0>,
            >::new(),
            x,
            y,
        );
        ::convnet::generated::network::observe::see_mut(
            watch,
            2,
            memory.at_mut::<::convnet::generated::Volume<T, 16, 16, 12>, 12288>(),
        );
        let (x, y) = memory
            .pair::<
                ::convnet::generated::Volume<T, 16, 16, 12>,
                12288,
                ::convnet::generated::Volume<T, 1, 1, 10>,
                15360,
            >();
        ::convnet::generated::Layer::forward(&self.scores, x, y);
        ::convnet::generated::network::observe::see_mut(
            watch,
            3,
            memory.at_mut::<::convnet::generated::Volume<T, 1, 1, 10>, 15360>(),
        );
        memory.at::<::convnet::generated::Volume<T, 1, 1, 10>, 15360>()
    }
    fn backward_segment_watched(
        &self,
        segment: ::core::primitive::usize,
        input: &Self::Input,
        d_input: ::core::option::Option<&mut Self::Input>,
        memory: &mut Self::Tape,
        d_output: &Self::Output,
        gradient: &mut Self,
        watch: &mut impl ::convnet::generated::network::observe::Watch<T>,
    ) {
        let _ = (segment, &watch);
        let mut d_input = d_input;
        let _ = (input, &mut d_input, &d_output, &gradient);
        ::convnet::generated::network::observe::see(watch, 3, d_output);
        let dy = d_output;
        let (x, dx) = memory
            .pair::<
                ::convnet::generated::Volume<T, 16, 16, 12>,
                12288,
                ::convnet::generated::Volume<T, 16, 16, 12>,
                24576,
            >();
        ::convnet::generated::Layer::backward(
            &self.scores,
            x,
            dx,
            dy,
            &mut gradient.scores,
        );
        ::convnet::generated::network::observe::see_mut(
            watch,
            2,
            memory.at_mut::<::convnet::generated::Volume<T, 16, 16, 12>, 24576>(),
        );
        let (x, dy, dx) = memory
            .triple::<
                ::convnet::generated::Volume<T, 32, 32, 12>,
                0,
                ::convnet::generated::Volume<T, 16, 16, 12>,
                24576,
                ::convnet::generated::Volume<T, 32, 32, 12>,
                12288,
            >();
        ::convnet::generated::Layer::backward(
            &::convnet::generated::layer::MaxPool::<
                2,
                2,
                ::convnet::generated::layer::Slide<2, 2, 0, 0>,
            >::new(),
            x,
            dx,
            dy,
            &mut ::convnet::generated::layer::MaxPool::<
                2,
                2,
                ::convnet::generated::layer::Slide<2, 2, 0, 0>,
            >::new(),
        );
        ::convnet::generated::network::observe::see_mut(
            watch,
            1,
            memory.at_mut::<::convnet::generated::Volume<T, 32, 32, 12>, 12288>(),
        );
        let (kept, dv) = memory
            .pair::<
                ::convnet::generated::Volume<T, 32, 32, 12>,
                0,
                ::convnet::generated::Volume<T, 32, 32, 12>,
                12288,
            >();
        ::convnet::generated::Activation::backward(
            &::convnet::generated::layer::Relu,
            kept,
            dv,
        );
        ::convnet::generated::network::observe::see_mut(
            watch,
            0,
            memory.at_mut::<::convnet::generated::Volume<T, 32, 32, 12>, 12288>(),
        );
        let x = input;
        let dy = memory.at::<::convnet::generated::Volume<T, 32, 32, 12>, 12288>();
        match d_input.as_deref_mut() {
            ::core::option::Option::Some(dx) => {
                ::convnet::generated::Layer::backward(
                    &self.conv1,
                    x,
                    dx,
                    dy,
                    &mut gradient.conv1,
                );
            }
            ::core::option::Option::None => {
                ::convnet::generated::Layer::backward_parameters(
                    &self.conv1,
                    x,
                    dy,
                    &mut gradient.conv1,
                );
            }
        }
    }
}
impl<T: ::convnet::generated::Real> ::convnet::generated::prepare::Prepare for Cifar<T> {
    type Overlay = ::convnet::generated::Overlay<T, 3840>;
    const PACKING: &'static [::convnet::generated::prepare::Packing] = &[
        ::convnet::generated::prepare::packing::<
            ::convnet::generated::Volume<T, 32, 32, 3>,
            ::convnet::generated::Volume<T, 32, 32, 12>,
            ::convnet::generated::layer::Conv<
                T,
                5,
                5,
                3,
                12,
                ::convnet::generated::layer::Slide<1, 1, 2, 2>,
            >,
            (),
        >("conv1"),
        ::convnet::generated::prepare::packing::<
            ::convnet::generated::Volume<T, 16, 16, 12>,
            ::convnet::generated::Volume<T, 1, 1, 10>,
            ::convnet::generated::layer::Fc<T, 16, 16, 12, 10>,
            (),
        >("scores"),
    ];
    fn pack(&self, packer: &mut ::convnet::generated::prepare::Packer<'_, T>) {
        let _ = &packer;
        packer
            .pack::<
                ::convnet::generated::Volume<T, 32, 32, 3>,
                ::convnet::generated::Volume<T, 32, 32, 12>,
                _,
                _,
            >(
                &::convnet::generated::prepare::Group {
                    filters: &self.conv1,
                    norm: &(),
                    clamp: ::convnet::generated::kernel::Clamp::Relu,
                },
            );
        packer
            .pack::<
                ::convnet::generated::Volume<T, 16, 16, 12>,
                ::convnet::generated::Volume<T, 1, 1, 10>,
                _,
                _,
            >(
                &::convnet::generated::prepare::Group {
                    filters: &self.scores,
                    norm: &(),
                    clamp: ::convnet::generated::kernel::Clamp::None,
                },
            );
    }
    fn forward_packed(
        &self,
        packed: &mut ::convnet::generated::prepare::Reader<'_, T>,
        images: &mut [::convnet::generated::prepare::Image<'_, Self>],
    ) {
        packed
            .each(
                images,
                |packed, image| {
                    let (input, memory) = (image.input, &mut *image.memory);
                    let _ = (&packed, input);
                    let (x, y) = (
                        input,
                        memory.at_mut::<::convnet::generated::Volume<T, 2, 32, 12>, 0>(),
                    );
                    packed
                        .map::<
                            ::convnet::generated::Volume<T, 32, 32, 3>,
                            ::convnet::generated::Volume<T, 32, 32, 12>,
                            _,
                            _,
                        >(
                            &::convnet::generated::prepare::Group {
                                filters: &self.conv1,
                                norm: &(),
                                clamp: ::convnet::generated::kernel::Clamp::Relu,
                            },
                            x,
                            y.as_mut_slice(),
                        );
                    let x = input;
                    let (map, z) = memory
                        .pair_mut::<
                            ::convnet::generated::Volume<T, 2, 32, 12>,
                            0,
                            ::convnet::generated::Volume<T, 16, 16, 12>,
                            768,
                        >();
                    packed
                        .pool::<
                            ::convnet::generated::Volume<T, 32, 32, 3>,
                            ::convnet::generated::Volume<T, 32, 32, 12>,
                            ::convnet::generated::Volume<T, 16, 16, 12>,
                            _,
                            _,
                            _,
                        >(
                            &::convnet::generated::prepare::Group {
                                filters: &self.conv1,
                                norm: &(),
                                clamp: ::convnet::generated::kernel::Clamp::Relu,
                            },
                            &::convnet::generated::layer::MaxPool::<
                                2,
                                2,
                                ::convnet::generated::layer::Slide<2, 2, 0, 0>,
                            >::new(),
                            x.as_slice(),
                            map.as_mut_slice(),
                            z,
                        );
                    let (x, y) = memory
                        .pair::<
                            ::convnet::generated::Volume<T, 16, 16, 12>,
                            768,
                            ::convnet::generated::Volume<T, 1, 1, 10>,
                            0,
                        >();
                    packed
                        .forward(
                            &::convnet::generated::prepare::Group {
                                filters: &self.scores,
                                norm: &(),
                                clamp: ::convnet::generated::kernel::Clamp::None,
                            },
                            x,
                            y,
                        );
                },
            );
    }
    fn output_in(memory: &Self::Overlay) -> &Self::Output {
        memory.at::<::convnet::generated::Volume<T, 1, 1, 10>, 0>()
    }
}
unsafe impl<T: ::convnet::generated::Real> ::convnet::generated::flash::InFlash
for Cifar<T> {
    const OFFSETS: &'static [::core::primitive::usize] = &[
        ::core::mem::offset_of!(Self, conv1.filters),
        ::core::mem::offset_of!(Self, conv1.bias),
        ::core::mem::offset_of!(Self, scores.filters),
        ::core::mem::offset_of!(Self, scores.bias),
    ];
}
impl Cifar<::core::primitive::f32> {
    /// The image, `[32, 32, 3]`: height, width, depth, in the order of memory. (A declaration says the width first.)
    pub const INPUT: [::core::primitive::usize; 3] = [32, 32, 3];
    /// The scores, `[1, 1, 10]`: height, width, depth, in the order of memory. (A declaration says the width first.)
    pub const OUTPUT: [::core::primitive::usize; 3] = [1, 1, 10];
    /// The declaration as a table, a line each.
    pub const LAYERS: &'static [::convnet::generated::plan::LayerInfo<'static>] = <Self as ::convnet::generated::Network>::LAYERS;
    /// The declaration as a graph: every hyperparameter, every edge.
    pub const GRAPH: &'static [::convnet::generated::graph::Node<'static>] = __GRAPH_OF_Cifar;
    /// Learned scalars.
    pub const PARAMETERS: ::core::primitive::usize = 31642usize;
    /// Multiply-adds of one forward pass.
    pub const MACS: ::core::primitive::u64 = 952320u64;
    /// Bytes of the arena in `f32`, 61440.
    pub const ARENA_BYTES: ::core::primitive::usize = ::core::mem::size_of::<
        ::convnet::generated::Arena<Self>,
    >();
    /// Bytes of the tape in `f32`, 110592.
    pub const TAPE_BYTES: ::core::primitive::usize = ::core::mem::size_of::<
        ::convnet::generated::Tape<Self>,
    >();
    /// The table of the network, to print.
    #[must_use]
    pub const fn summary() -> ::convnet::generated::Summary<'static> {
        ::convnet::generated::Summary {
            name: "Cifar",
            input: Self::INPUT,
            layers: Self::LAYERS,
            arena_bytes: Self::ARENA_BYTES,
            tape_bytes: Self::TAPE_BYTES,
            packing: <Self as ::convnet::generated::prepare::Prepare>::PACKING,
            prepared_bytes: ::core::mem::size_of::<
                <Self as ::convnet::generated::prepare::Prepare>::Overlay,
            >(),
        }
    }
}
impl<T: ::convnet::generated::Real> Cifar<T> {
    /// All parameters zero. For a `static`, or a network small enough for the stack; a
    /// large one is built in place on the heap, by `boxed`.
    pub const ZERO: Self = Self {
        conv1: <::convnet::generated::layer::Conv<
            T,
            5,
            5,
            3,
            12,
            ::convnet::generated::layer::Slide<1, 1, 2, 2>,
        >>::ZERO,
        scores: <::convnet::generated::layer::Fc<T, 16, 16, 12, 10>>::ZERO,
    };
    /// The scores of `input`.
    pub fn forward<'a>(
        &self,
        input: &::convnet::generated::Volume<T, 32, 32, 3>,
        arena: &'a mut ::convnet::generated::Arena<Self>,
    ) -> &'a ::convnet::generated::Volume<T, 1, 1, 10> {
        ::convnet::generated::Network::forward(self, input, arena)
    }
    /// Forward as in training: dropout drops, by `seed`, and what `backward` needs stays
    /// on the tape.
    pub fn forward_train<'a>(
        &self,
        input: &::convnet::generated::Volume<T, 32, 32, 3>,
        tape: &'a mut ::convnet::generated::Tape<Self>,
        seed: ::core::primitive::u64,
    ) -> &'a ::convnet::generated::Volume<T, 1, 1, 10> {
        ::convnet::generated::Trainable::forward_train(self, input, tape, seed)
    }
    /// Adds the gradient on the parameters to `gradient`, and writes the one on the image
    /// to `d_input` if it is asked for. The tape must come from `forward_train` with the
    /// same `input`, and is used up.
    pub fn backward(
        &self,
        input: &::convnet::generated::Volume<T, 32, 32, 3>,
        d_input: ::core::option::Option<&mut ::convnet::generated::Volume<T, 32, 32, 3>>,
        tape: &mut ::convnet::generated::Tape<Self>,
        d_output: &::convnet::generated::Volume<T, 1, 1, 10>,
        gradient: &mut Self,
    ) {
        ::convnet::generated::Trainable::backward(
            self,
            input,
            d_input,
            tape,
            d_output,
            gradient,
        );
    }
    /// `forward`, in which `look` is shown what each layer writes, with its line of the table.
    pub fn observe<'a>(
        &self,
        input: &::convnet::generated::Volume<T, 32, 32, 3>,
        arena: &'a mut ::convnet::generated::Arena<Self>,
        look: impl ::core::ops::FnMut(
            &'static ::convnet::generated::plan::LayerInfo<'static>,
            ::convnet::generated::Seen<'_, T>,
        ),
    ) -> &'a ::convnet::generated::Volume<T, 1, 1, 10> {
        ::convnet::generated::Network::observe(self, input, arena, look)
    }
    /// `forward_train`, in which `look` is shown what each layer writes.
    pub fn observe_train<'a>(
        &self,
        input: &::convnet::generated::Volume<T, 32, 32, 3>,
        tape: &'a mut ::convnet::generated::Tape<Self>,
        seed: ::core::primitive::u64,
        look: impl ::core::ops::FnMut(
            &'static ::convnet::generated::plan::LayerInfo<'static>,
            ::convnet::generated::Seen<'_, T>,
        ),
    ) -> &'a ::convnet::generated::Volume<T, 1, 1, 10> {
        ::convnet::generated::Trainable::observe_train(self, input, tape, seed, look)
    }
    /// `backward`, in which `look` is shown the gradient on what each layer has written.
    pub fn observe_backward(
        &self,
        input: &::convnet::generated::Volume<T, 32, 32, 3>,
        d_input: ::core::option::Option<&mut ::convnet::generated::Volume<T, 32, 32, 3>>,
        tape: &mut ::convnet::generated::Tape<Self>,
        d_output: &::convnet::generated::Volume<T, 1, 1, 10>,
        gradient: &mut Self,
        look: impl ::core::ops::FnMut(
            &'static ::convnet::generated::plan::LayerInfo<'static>,
            ::convnet::generated::Seen<'_, T>,
        ),
    ) {
        ::convnet::generated::Trainable::observe_backward(
            self,
            input,
            d_input,
            tape,
            d_output,
            gradient,
            look,
        );
    }
}
::convnet::generated::__if_alloc! {
    impl Cifar < ::core::primitive::f32 > { #[doc =
    r" All parameters zero, built in place on the heap."] #[must_use] pub fn boxed() ->
    ::convnet::generated::__private::Box < Self > { < Self as
    ::convnet::generated::OnHeap > ::boxed() } #[doc =
    r" Filters drawn at random by `seed` (Kaiming), biases zero: ready to be trained."]
    #[must_use] pub fn random(seed : ::core::primitive::u64) ->
    ::convnet::generated::__private::Box < Self > { < Self as
    ::convnet::generated::OnHeap > ::random(seed) } #[doc =
    r" An arena for `forward`, built in place on the heap."] #[must_use] pub fn arena()
    -> ::convnet::generated::__private::Box < ::convnet::generated::Arena < Self >> { <
    Self as ::convnet::generated::OnHeap > ::arena() } #[doc =
    r" A tape for `forward_train` and `backward`, built in place on the heap."]
    #[must_use] pub fn tape() -> ::convnet::generated::__private::Box <
    ::convnet::generated::Tape < Self >> { < Self as ::convnet::generated::OnHeap >
    ::tape() } }
}
impl<T: ::convnet::generated::Real> ::core::fmt::Display for Cifar<T> {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        ::core::fmt::Display::fmt(&<Cifar<::core::primitive::f32>>::summary(), f)
    }
}
