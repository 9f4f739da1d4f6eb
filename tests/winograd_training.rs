//! Training by Winograd's algorithm and by direct sums: the same gradients, but for rounding.

use convnet::{AnyVolume, Rng, Trainable, convnet};

/// Two layers that are large enough, the second with filters of 5x5; the first one has so many.
macro_rules! network {
    ($(#[$attribute:meta])* $name:ident, $first:tt) => {
        convnet! {
            $(#[$attribute])*
            struct $name {
                input(24x24x3),
                conv($first, 3x3, pad = 1),
                relu,
                conv(32, 3x3, pad = 1),
                relu,
                max_pool(2x2, stride = 2),
                conv(32, 5x5, pad = 2),
                relu,
                fc(4),
            }
        }
    };
}

const DEPTH: usize = 16;

network!(Fast, 16);
network!(
    #[direct_training]
    Direct,
    16
);
network!(
    #[direct_training]
    Named,
    DEPTH
);
network!(FastNamed, DEPTH);

/// The scores, the gradient on the image, and those on the parameters.
fn pass<N: Trainable<Scalar = f32>>(net: &N) -> Vec<Vec<f32>> {
    let mut image: Box<N::Input> = bytemuck::zeroed_box();
    let mut rng = Rng::new(7);
    image
        .as_mut_slice()
        .fill_with(|| rng.uniform() as f32 - 0.5);
    let (mut tape, mut d_image): (Box<N::Tape>, Box<N::Input>) =
        (bytemuck::zeroed_box(), bytemuck::zeroed_box());
    let scores = net.forward_train(&image, &mut tape, 0).as_slice().to_vec();
    let mut d_scores: Box<N::Output> = bytemuck::zeroed_box();
    d_scores
        .as_mut_slice()
        .fill_with(|| rng.uniform() as f32 - 0.5);
    let mut gradient: Box<N> = bytemuck::zeroed_box();
    net.backward(
        &image,
        Some(&mut d_image),
        &mut tape,
        &d_scores,
        &mut gradient,
    );
    let parameters = (0..N::TENSORS.len()).map(|index| gradient.tensor(index).to_vec());
    [scores, d_image.as_slice().to_vec()]
        .into_iter()
        .chain(parameters)
        .collect()
}

#[test]
fn the_algorithms_agree() {
    let fast = pass(&*Fast::<f32>::random(1));
    let direct = pass(&*Direct::<f32>::random(1));
    for (fast, direct) in fast.iter().zip(&direct) {
        let largest = direct.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        let off = fast.iter().zip(direct).map(|(a, b)| (a - b).abs());
        assert!(off.fold(0.0, f32::max) < 1e-5 * largest);
    }
    assert_ne!(fast, direct, "both are direct sums");
    assert_eq!(fast, pass(&*FastNamed::<f32>::random(1)));
    assert_eq!(direct, pass(&*Named::<f32>::random(1)));
}

#[test]
fn the_scratch_is_counted() {
    const { assert!(Direct::TAPE_BYTES < Fast::TAPE_BYTES) };
    assert_eq!(Named::TAPE_BYTES, Direct::TAPE_BYTES);
    assert_eq!(FastNamed::TAPE_BYTES, Fast::TAPE_BYTES);
}
