//! Five steps of each optimizer.

use convnet_core::optim::{Adadelta, Adagrad, Adam, OptimError, Optimizer, RmsProp, Sgd, Step};
use convnet_core::{Real, Role};

use crate::case::{Case, assert_close, cases, of};

#[test]
fn sgd() {
    let mut count = 0;
    for op in ["optim_sgd", "optim_momentum", "optim_nesterov"] {
        for case in cases(op) {
            let (weight_decay, nesterov) = (case.number("weight_decay"), case.flag("nesterov"));
            let momentum = if op == "optim_sgd" {
                0.0
            } else {
                case.number("momentum")
            };
            assert_eq!(nesterov, op == "optim_nesterov");
            both(
                case,
                Sgd {
                    momentum,
                    nesterov,
                    weight_decay,
                },
            );
            count += 1;
        }
    }
    assert_eq!(count, 12);
}

#[test]
fn rms_prop() {
    assert_eq!(cases("optim_rmsprop").count(), 4);
    for case in cases("optim_rmsprop") {
        let decay_rate = case.number("alpha");
        let (epsilon, weight_decay) = (case.number("eps"), case.number("weight_decay"));
        both(
            case,
            RmsProp {
                decay_rate,
                epsilon,
                weight_decay,
            },
        );
    }
}

#[test]
fn adam() {
    assert_eq!(cases("optim_adam").count(), 4);
    for case in cases("optim_adam") {
        let [beta1, beta2] = case.pair("betas");
        let (epsilon, weight_decay) = (case.number("eps"), case.number("weight_decay"));
        both(
            case,
            Adam {
                beta1,
                beta2,
                epsilon,
                weight_decay,
            },
        );
    }
}

#[test]
fn adagrad() {
    assert_eq!(cases("optim_adagrad").count(), 2);
    for case in cases("optim_adagrad") {
        let (epsilon, weight_decay) = (case.number("eps"), case.number("weight_decay"));
        both(
            case,
            Adagrad {
                epsilon,
                weight_decay,
            },
        );
    }
}

#[test]
fn adadelta() {
    assert_eq!(cases("optim_adadelta").count(), 2);
    for case in cases("optim_adadelta") {
        let decay_rate = case.number("rho");
        let (epsilon, weight_decay) = (case.number("eps"), case.number("weight_decay"));
        both(
            case,
            Adadelta {
                decay_rate,
                epsilon,
                weight_decay,
            },
        );
    }
}

fn both(case: &Case, optimizer: impl Optimizer<f32> + Optimizer<f64>) {
    check::<f64>(case, &optimizer).unwrap();
    check::<f32>(case, &optimizer).unwrap();
}

fn check<T: Real>(case: &Case, optimizer: &impl Optimizer<T>) -> Result<(), OptimError> {
    optimizer.check()?;
    let (grads, after) = (case.tensor("grads"), case.tensor("w_after"));
    let mut w = of::<T>(&case.tensor("w0").values);
    let mut slots = [vec![T::ZERO; w.len()], vec![T::ZERO; w.len()]];
    for n in 0..case.number("steps") as usize {
        let step = Step {
            rate: case.number("lr"),
            count: n as u64,
        };
        let [a, b] = &mut slots;
        optimizer.update(step, Role::Filters, &mut w, &grads.row(n), [a, b]);
        let expected = after.row::<f64>(n);
        assert_close(&format!("{}.w_after[{n}]", case.id), &w, &expected);
    }
    Ok(())
}
