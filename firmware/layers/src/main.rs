//! # Every layer word and every way of padding, in a network of its own
//!
//! Nothing of this is run. It is linked, at any `opt-level`, with a panic handler that does not link: what is
//! left in the program cannot panic, neither in inference nor in training, nor in bytes where a network has
//! an int8 form. All networks are one program; if
//! that does not link, `LAYER=depthwise_same cargo build …` links one of them alone, and `./run` finds out
//! which it is.
#![no_std]
#![no_main]

use core::hint::black_box;

/// A network a line, whether it is asked for, and whether it is one in bytes, too.
macro_rules! layers {
    ($($name:ident [$size:literal] $($int8:ident)? { $($layers:tt)* })*) => {
        $(mod $name {
            use core::hint::black_box;

            use convnet::{Arena, Network, Overlay, Tape, convnet};
            $(use convnet::$int8::{Int8, Quantize, Quantized};)?

            convnet! {
                pub struct Net { input($size), $($layers)* }
            }

            static NET: Net = Net::ZERO;

            /// What inference links.
            #[inline(never)]
            pub(super) fn infer() {
                let image = <Net as Network>::Input::ZERO;
                let mut arena: Arena<Net> = Overlay::ZERO;
                black_box(black_box(&NET).forward(black_box(&image), black_box(&mut arena)));
            }

            /// What training links.
            #[inline(never)]
            pub(super) fn train() {
                let image = <Net as Network>::Input::ZERO;
                let mut tape: Tape<Net> = Overlay::ZERO;
                let (net, mut gradient) = (black_box(&NET), Net::ZERO);
                black_box(net.forward_train(black_box(&image), black_box(&mut tape), 0));
                let scores = <Net as Network>::Output::ZERO;
                net.backward(black_box(&image), None, &mut tape, black_box(&scores), black_box(&mut gradient));
            }

            $(
                convnet::$int8! { Net }

                /// What inference in bytes links.
                #[inline(never)]
                pub(super) fn $int8() {
                    static NET: Int8<Net> = Quantized::ZERO;
                    let image = <Net as Quantize>::Image::ZERO;
                    let mut arena: <Net as Quantize>::Overlay = Overlay::ZERO;
                    black_box(black_box(&NET).forward(black_box(&image), black_box(&mut arena)));
                }
            )?
        })*

        fn all() {
            $(if const { is_asked(stringify!($name)) } {
                $name::infer();
                $name::train();
                $($name::$int8();)?
            })*
        }

    };
}

layers! {
    conv [9x12x4] int8 { conv(4, 3x3) }
    conv_padded [9x12x4] int8 { conv(4, 3x3, pad = 1) }
    conv_same [9x12x4] int8 { conv(4, 4x2, pad = same) }
    conv_two_sides [9x12x4] int8 { conv(4, 4x2, stride = 2, pad = (0, 1), fit = crop) }
    conv_four_sides [9x12x4] int8 { conv(4, 4x2, stride = 2x1, pad = (0, 1, 2, 1), fit = crop) }
    conv_crop [9x12x4] int8 { conv(4, 3x3, stride = 2, fit = crop) }
    conv_fit_pad [9x12x4] int8 { conv(4, 4x4, stride = 3, fit = pad) }
    conv_dilated [9x12x4] int8 { conv(4, 3x3, pad = 2, dilation = 2) }
    conv_groups [9x12x4] int8 { conv(6, 3x3, groups = 2) }
    conv_groups_padded [9x12x4] int8 { conv(6, 3x3, pad = 1, groups = 2) }
    conv_groups_dilated [9x12x4] int8 { conv(6, 3x3, pad = same, groups = 2, dilation = 2) }
    conv_pixel [9x12x4] int8 { conv(7, 1x1) }
    conv_behind [9x12x4] int8 { conv(4, 3x3, pad = 1), relu, conv(5, 3x3, pad = 1) }
    conv_pooled [8x12x4] int8 { conv(4, 3x3, pad = 1), relu, max_pool(2x2) }
    conv_pooled_apart [9x13x4] int8 { conv(4, 3x3, pad = 1), relu, max_pool(3x3, stride = 2) }
    conv_behind_pooled [8x12x4] int8 { relu, conv(4, 3x3, pad = 1), max_pool(2x2) }
    depthwise [9x12x4] int8 { depthwise(3x3) }
    depthwise_padded [9x12x4] int8 { depthwise(3x3, pad = 1) }
    depthwise_same [9x12x4] int8 { depthwise(4x2, pad = same) }
    depthwise_two_sides [9x12x4] int8 { depthwise(3x3, stride = 2, pad = (0, 1), fit = crop) }
    depthwise_four_sides [9x12x4] int8 { depthwise(3x4, stride = 2x1, pad = (0, 1, 2, 1), fit = crop) }
    depthwise_fit_pad [9x12x4] int8 { depthwise(4x4, stride = 3, fit = pad) }
    depthwise_dilated [9x12x4] int8 { depthwise(3x3, pad = 2, dilation = 2) }
    conv_transpose [9x12x4] { conv_transpose(3, 4x4, stride = 2) }
    conv_transpose_padded [9x12x4] { conv_transpose(3, 4x4, stride = 2, pad = 1) }
    conv_transpose_grouped [9x12x4] {
        conv_transpose(6, 3x3, stride = 2, output_pad = 1, groups = 2, dilation = 2)
    }
    conv_transpose_two_sides [9x12x4] { conv_transpose(3, 3x3, pad = (0, 1)) }
    max_pool [8x12x4] int8 { max_pool(2x2) }
    max_pool_padded [9x12x4] int8 { max_pool(3x3, stride = 1, pad = 1) }
    max_pool_same [9x12x4] int8 { max_pool(3x2, stride = 1, pad = same) }
    max_pool_two_sides [9x12x4] int8 { max_pool(3x3, stride = 2, pad = (0, 1), fit = crop) }
    max_pool_fit_pad [9x12x4] int8 { max_pool(3x3, stride = 2, fit = pad) }
    avg_pool [8x12x4] int8 { avg_pool(2x2) }
    avg_pool_padded [9x12x4] int8 { avg_pool(3x3, stride = 1, pad = 1) }
    avg_pool_same [9x12x4] int8 { avg_pool(3x2, stride = 1, pad = same) }
    avg_pool_two_sides [9x12x4] int8 { avg_pool(3x3, stride = 2, pad = (0, 1), fit = crop) }
    avg_pool_fit_pad [9x12x4] int8 { avg_pool(3x3, stride = 2, fit = pad) }
    global_avg_pool [9x12x4] int8 { global_avg_pool }
    global_max_pool [9x12x4] int8 { global_max_pool }
    upsample [9x12x4] int8 { upsample(3x2) }
    upsample_bilinear [9x12x4] { upsample_bilinear(2x2) }
    upsample_aligned [9x12x4] { upsample_aligned(2x3) }
    channel_shuffle [9x12x4] int8 { channel_shuffle(2) }
    pad [9x12x4] { pad((0, 1, 1, 0)) }
    crop [9x12x4] { crop((0, 1, 2, 0)) }
    depth_to_space [9x12x4] int8 { depth_to_space(2x2) }
    space_to_depth [9x12x4] int8 { space_to_depth(3x3) }
    pad_depth [9x12x4] { pad_depth(6) }
    slices [9x12x4] { slices(2, from = 1) }
    affine [9x12x4] { affine }
    normalize [9x12x4] { normalize(mean = [0.5, 0.25, 0.0, 1.0], std = 0.5) }
    prelu [9x12x4] { prelu }
    fc [9x12x4] int8 { fc(5) }
    flatten [9x12x4] int8 { flatten, fc(5) }
    relu [9x12x4] int8 { relu }
    relu6 [9x12x4] int8 { relu6 }
    leaky_relu [9x12x4] int8 { leaky_relu(0.1) }
    hard_swish [9x12x4] int8 { hard_swish }
    hard_sigmoid [9x12x4] int8 { hard_sigmoid }
    silu [9x12x4] int8 { silu }
    gelu [9x12x4] int8 { gelu }
    gelu_tanh [9x12x4] int8 { gelu_tanh }
    elu [9x12x4] int8 { elu(1.0) }
    softplus [9x12x4] int8 { softplus }
    clamp [9x12x4] int8 { clamp(-1.0, 1.0) }
    sigmoid [9x12x4] int8 { sigmoid }
    tanh [9x12x4] int8 { tanh }
    softmax [9x12x4] int8 { softmax }
    log_softmax [9x12x4] { log_softmax }
    batch_norm [9x12x4] int8 { conv(4, 1x1), batch_norm, relu }
    group_norm [9x12x4] { group_norm(2) }
    layer_norm [9x12x4] { layer_norm }
    layer_norm_volume [9x12x4] { layer_norm_volume }
    lrn [9x12x4] { lrn(5) }
    dropout [9x12x4] int8 { dropout(0.5) }
    residual [9x12x4] int8 { residual { conv(4, 3x3, pad = 1), relu } }
    shortcut [9x12x4] int8 { residual { conv(5, 3x3, pad = 1), shortcut { conv(5, 1x1) } } }
    scale [9x12x4] int8 { scale { global_avg_pool, conv(4, 1x1), hard_sigmoid } }
    concat [9x12x4] int8 { concat { [conv(3, 1x1)], [conv(4, 3x3, pad = 1)], [] } }
    outputs [9x12x4] { outputs { a: [conv(3, 1x1)], b: [global_avg_pool], c: [] } }
    network [9x12x4] { network(crate::conv::Net) }
}

/// What a program links that reads one of several outputs.
#[inline(never)]
fn read() {
    let all = <outputs::Net as convnet::Network>::Output::ZERO;
    black_box(outputs::Net::<f32>::outputs(black_box(&all)).b);
}

/// Whether the layer of this name is the one that was asked for when compiling, if one was.
const fn is_asked(name: &str) -> bool {
    let Some(asked) = option_env!("LAYER") else {
        return true;
    };
    let (name, asked) = (name.as_bytes(), asked.as_bytes());
    let mut same = name.len() == asked.len();
    let mut i = 0;
    while same && i < name.len() {
        same = name[i] == asked[i];
        i += 1;
    }
    same
}

#[cortex_m_rt::entry]
fn main() -> ! {
    programs::run(|_| {
        all();
        if const { is_asked("outputs") } {
            read();
        }
    })
}
