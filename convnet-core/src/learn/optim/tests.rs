//! What every optimizer has in common; what each computes is tested against PyTorch and CS231n in
//! `tests/optim_vectors.rs`.

extern crate std;

use std::string::ToString;

use super::*;
use crate::Tensor;

const N: usize = 7;

/// Three filters, two weights of an `fc`, two biases.
impl<T: Real> Parameters for [T; N] {
    type Scalar = T;
    const TENSORS: &'static [Tensor] = &[
        Tensor {
            name: "conv.filters",
            role: Role::Filters,
            shape: &[1, 3, 1, 1],
        },
        Tensor {
            name: "conv.bias",
            role: Role::Bias,
            shape: &[2],
        },
        Tensor {
            name: "fc.filters",
            role: Role::Weights,
            shape: &[1, 1, 1, 2],
        },
    ];

    fn tensor(&self, index: usize) -> &[T] {
        &self[[0..3, 3..5, 5..7][index].clone()]
    }

    fn tensor_mut(&mut self, index: usize) -> &mut [T] {
        &mut self[[0..3, 3..5, 5..7][index].clone()]
    }
}

const DECAY: f64 = 0.1;

/// Calls `$f` with each optimizer, decaying weights.
macro_rules! each {
    ($f:ident) => {
        $f(&Sgd {
            weight_decay: DECAY,
            ..Sgd::default()
        });
        $f(&Sgd {
            momentum: 0.9,
            weight_decay: DECAY,
            ..Sgd::default()
        });
        $f(&Sgd {
            momentum: 0.9,
            nesterov: true,
            weight_decay: DECAY,
        });
        $f(&RmsProp {
            weight_decay: DECAY,
            ..RmsProp::default()
        });
        $f(&Adam {
            weight_decay: DECAY,
            ..Adam::default()
        });
        $f(&AdamW {
            weight_decay: DECAY,
            ..AdamW::default()
        });
        $f(&Adagrad {
            weight_decay: DECAY,
            ..Adagrad::default()
        });
        $f(&Adadelta {
            weight_decay: DECAY,
            ..Adadelta::default()
        });
    };
}

const STEP: Step = Step {
    rate: 0.01,
    count: 0,
};

#[test]
fn weight_decay_shrinks_filters_and_weights_and_leaves_biases() {
    fn check(optimizer: &(impl Optimizer<f64> + core::fmt::Display)) {
        let (mut w, mut a, mut b) = ([2.0; N], [0.0; N], [0.0; N]);
        optimizer
            .step(STEP, &mut w, &[0.0; N], &mut [&mut a, &mut b])
            .unwrap();
        let shrunk = |tensor: usize| w.tensor(tensor).iter().all(|&w| (0.0..2.0).contains(&w));
        assert!(shrunk(0) && shrunk(2), "{optimizer}: {w:?}");
        assert_eq!(w.tensor(1), [2.0; 2], "{optimizer}");
    }
    each!(check);
}

#[test]
fn a_bowl_is_descended() {
    fn check(optimizer: &(impl Optimizer<f64> + core::fmt::Display)) {
        // ½|w|², whose gradient is w.
        let (mut w, mut a, mut b) = ([1.0; N], [0.0; N], [0.0; N]);
        for count in 0..100 {
            let gradient = w;
            let step = Step { rate: 0.1, count };
            optimizer
                .step(step, &mut w, &gradient, &mut [&mut a, &mut b])
                .unwrap();
        }
        // Adadelta's first steps are tiny, by design.
        assert!(w.iter().all(|&w| w.abs() < 0.995), "{optimizer}: {w:?}");
    }
    each!(check);
}

/// What lets a trainer share one tensor among threads.
#[test]
fn a_tensor_may_be_updated_in_pieces() {
    fn check(optimizer: &impl Optimizer<f32>) {
        let dw: [f32; N] = core::array::from_fn(|i| (i as f32).sin());
        let (mut whole, mut pieces) = ([[1.0; N]; 3], [[1.0; N]; 3]);
        for count in 0..3 {
            let step = Step { rate: 0.01, count };
            let [w, a, b] = &mut whole;
            optimizer.update(step, Role::Filters, w, &dw, [a, b]);
            let [w, a, b] = &mut pieces;
            for part in [0..4, 4..N] {
                let slots = [&mut a[part.clone()], &mut b[part.clone()]];
                optimizer.update(step, Role::Filters, &mut w[part.clone()], &dw[part], slots);
            }
        }
        assert_eq!(whole, pieces);
    }
    each!(check);
}

/// One scalar at a time, nothing is a vector: whole slices come out the same to the bit, at every level.
#[cfg(feature = "std")]
#[test]
fn vectors_compute_what_scalars_do() {
    const N: usize = 77;
    fn check(optimizer: &impl Optimizer<f32>) {
        let value = |i: usize| (i * 7919 % 1009) as f32 / 500.0 - 1.0;
        let start =
            core::array::from_fn(|slot| core::array::from_fn(|i| value(i + 100 * slot).abs()));
        let [w, a, b]: [[f32; N]; 3] = start;
        let dw: [f32; N] = core::array::from_fn(|i| value(i + 300));
        let step = Step {
            rate: 0.1,
            count: 2,
        };
        let update = |range: core::ops::Range<usize>, [w, a, b]: [&mut [f32]; 3]| {
            let slots = [&mut a[range.clone()], &mut b[range.clone()]];
            optimizer.update(
                step,
                Role::Filters,
                &mut w[range.clone()],
                &dw[range],
                slots,
            );
        };
        let mut one = [w, a, b];
        (0..N).for_each(|i| update(i..i + 1, one.each_mut().map(|of| &mut of[..])));
        for level in crate::kernel::levels() {
            let mut all = [w, a, b];
            crate::kernel::with_level(level, || update(0..N, all.each_mut().map(|of| &mut of[..])));
            assert_eq!(all, one);
        }
    }
    each!(check);
}

#[test]
fn too_few_slots_are_an_error_and_change_nothing() {
    fn check(optimizer: &impl Optimizer<f64>) {
        let needed = optimizer.slots();
        let mut w = [1.0; N];
        let result = optimizer.step(STEP, &mut w, &[1.0; N], &mut []);
        if needed == 0 {
            assert_eq!(result, Ok(()));
        } else {
            assert_eq!(result, Err(OptimError::Slots { found: 0, needed }));
            assert_eq!(w, [1.0; N]);
        }
    }
    each!(check);
}

#[test]
fn nonsense_is_an_error_and_changes_nothing() {
    fn check(optimizer: &impl Optimizer<f64>, rate: f64, message: &str) {
        let (mut w, mut a, mut b) = ([1.0; N], [0.0; N], [0.0; N]);
        let step = Step { rate, count: 0 };
        let error = optimizer
            .step(step, &mut w, &[1.0; N], &mut [&mut a, &mut b])
            .unwrap_err();
        assert_eq!(error.to_string(), message);
        assert_eq!((w, a), ([1.0; N], [0.0; N]));
    }
    let plain = Sgd::default();
    check(
        &plain,
        -0.1,
        "the learning rate is -0.1: it should be finite, and 0 or more",
    );
    check(
        &plain,
        f64::NAN,
        "the learning rate is NaN: it should be finite, and 0 or more",
    );
    check(
        &Sgd {
            momentum: 1.0,
            ..plain
        },
        0.1,
        "the momentum is 1: it should be 0 or more, and less than 1",
    );
    check(
        &Sgd {
            nesterov: true,
            ..plain
        },
        0.1,
        "the momentum is 0: it should be more than 0 for Nesterov's, 0.9 say",
    );
    check(
        &Sgd {
            weight_decay: f64::INFINITY,
            ..plain
        },
        0.1,
        "the weight decay is inf: it should be finite, and 0 or more",
    );
    check(
        &AdamW {
            weight_decay: -1.0,
            ..AdamW::default()
        },
        0.1,
        "the weight decay is -1: it should be finite, and 0 or more",
    );
    check(
        &Adam {
            beta2: 1.0,
            ..Adam::default()
        },
        0.1,
        "the beta2 is 1: it should be 0 or more, and less than 1",
    );
    check(
        &RmsProp {
            epsilon: 0.0,
            ..RmsProp::default()
        },
        0.1,
        "the epsilon is 0: it should be finite, and more than 0",
    );
}

/// By the formula of the paper: 1 step from m = v = 0 has m̂ = g and v̂ = g².
#[test]
fn adam_w_decays_beside_adam() {
    let (mut w, mut m, mut v) = ([3.0], [0.0], [0.0]);
    let adam_w = AdamW {
        weight_decay: 0.5,
        ..AdamW::default()
    };
    adam_w.update(
        Step {
            rate: 0.1,
            count: 0,
        },
        Role::Filters,
        &mut w,
        &[4.0],
        [&mut m, &mut v],
    );
    let expected: f64 = 3.0 * (1.0 - 0.1 * 0.5) - 0.1 * 4.0 / (4.0 + 1e-8);
    assert!((w[0] - expected).abs() < 1e-15, "{w:?}");
    assert!(
        (m[0] - 0.4).abs() < 1e-15 && (v[0] - 0.016).abs() < 1e-15,
        "the decay stays out"
    );
}

#[test]
fn a_long_gradient_is_clipped_and_a_short_one_kept() {
    let gradient = [3.0_f32, 0.0, 0.0, 0.0, 4.0, 0.0, 12.0];
    let mut clipped = gradient;
    assert_eq!(clip_norm(&mut clipped, 13.0), Ok(13.0));
    assert_eq!(clipped, gradient);
    assert_eq!(clip_norm(&mut clipped, 6.5), Ok(13.0));
    assert_eq!(clipped, gradient.map(|g| g / 2.0));
    // Its square overflows f32, not f64.
    let mut huge = [0.0_f32; N];
    huge[0] = 1e30;
    assert!(clip_norm(&mut huge, 1.0).is_ok());
    assert_eq!(huge[0], 1.0);
    huge[3] = f32::NAN;
    let before = huge.map(f32::to_bits);
    let error = clip_norm(&mut huge, 0.5).unwrap_err();
    assert_eq!(
        error,
        OptimError::NotFinite {
            tensor: "conv.bias"
        }
    );
    assert_eq!(huge.map(f32::to_bits), before);
    assert!(clip_norm(&mut [0.0_f32; N], f64::NAN).is_err());
}
