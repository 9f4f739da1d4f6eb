//! Whole networks against central differences, in f64.

use convnet::gradient_check::slope;
use convnet::{AnyVolume, Rng, Role, Trainable};

/// The gradient of ⟨scores, weights⟩ on every parameter and on the image.
pub(crate) fn check<N: Trainable<Scalar = f64>>(seed: u64) {
    let mut rng = Rng::new(seed);
    let mut draw = |values: &mut [f64]| values.iter_mut().for_each(|v| *v = rng.uniform() - 0.5);
    let mut net: Box<N> = bytemuck::zeroed_box();
    for (index, tensor) in N::TENSORS.iter().enumerate() {
        draw(net.tensor_mut(index));
        if matches!(tensor.role, Role::Variance(..)) {
            net.tensor_mut(index).iter_mut().for_each(|v| *v += 1.0);
        }
    }
    let mut image: Box<N::Input> = bytemuck::zeroed_box();
    draw(image.as_mut_slice());
    let mut d_output: Box<N::Output> = bytemuck::zeroed_box();
    draw(d_output.as_mut_slice());

    let mut tape: Box<N::Tape> = bytemuck::zeroed_box();
    let mut gradient: Box<N> = bytemuck::zeroed_box();
    let mut d_image: Box<N::Input> = bytemuck::zeroed_box();
    net.forward_train(&image, &mut tape, seed);
    net.backward(
        &image,
        Some(&mut d_image),
        &mut tape,
        &d_output,
        &mut gradient,
    );
    let mut without: Box<N> = bytemuck::zeroed_box();
    net.forward_train(&image, &mut tape, seed);
    net.backward(&image, None, &mut tape, &d_output, &mut without);

    let mut objective = |net: &N, image: &N::Input| -> f64 {
        let scores = net.forward_train(image, &mut tape, seed);
        scores
            .as_slice()
            .iter()
            .zip(d_output.as_slice())
            .map(|(s, d)| s * d)
            .sum()
    };
    let learned = N::TENSORS.iter().enumerate();
    let learned = learned.filter(|(_, tensor)| tensor.role.is_learned());
    for (index, tensor) in learned {
        for at in 0..tensor.len() {
            let w = net.tensor(index)[at];
            let slope = slope(gradient.tensor(index)[at], |h| {
                net.tensor_mut(index)[at] = w + h;
                objective(&net, &image)
            });
            net.tensor_mut(index)[at] = w;
            assert!(slope.error < 1e-6, "{}[{at}]: {slope:?}", tensor.name);
            assert_eq!(gradient.tensor(index)[at], without.tensor(index)[at]);
        }
    }
    for at in 0..image.as_slice().len() {
        let x = image.as_slice()[at];
        let slope = slope(d_image.as_slice()[at], |h| {
            image.as_mut_slice()[at] = x + h;
            objective(&net, &image)
        });
        image.as_mut_slice()[at] = x;
        assert!(slope.error < 1e-6, "image[{at}]: {slope:?}");
    }
}
