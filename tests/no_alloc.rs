//! Nothing in inference allocates, nor in backward, a loss or an optimizer's step: counted.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use convnet::loss::SoftmaxCrossEntropy;
use convnet::optim::{Adam, Step};
use convnet::{AnyVolume, Loss, OnHeap, Optimizer, Real, Trainable, convnet};

convnet! {
    /// A layer of each kind.
    struct Net {
        input(16x16x3),
        conv(8, 3x3, pad = 1),
        relu,
        max_pool(2x2),
        conv(12, 5x5, pad = 2),
        leaky_relu,
        avg_pool(2x2),
        dropout(0.5),
        conv(7, 1x1),
        tanh,
        fc(20),
        sigmoid,
        fc(10),
    }
}

convnet! {
    /// A network inside.
    struct Outer { input(16x16x3), residual { network(Inner) }, fc(10) }
}

convnet! {
    struct Inner { input(16x16x3), conv(3, 3x3, pad = 1), relu, dropout(0.5) }
}

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, which counts.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

#[expect(unsafe_code, reason = "an allocator that counts")]
// SAFETY: every call is handed on as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

fn allocations<R>(body: impl FnOnce() -> R) -> usize {
    let before = ALLOCATIONS.get();
    std::hint::black_box(body());
    ALLOCATIONS.get() - before
}

fn check<N: Trainable>(net: &mut N)
where
    Adam: Optimizer<N::Scalar>,
    SoftmaxCrossEntropy: Loss<N::Scalar>,
{
    let mut arena: Box<N::Arena> = bytemuck::zeroed_box();
    let mut tape: Box<N::Tape> = bytemuck::zeroed_box();
    let mut image: Box<N::Input> = bytemuck::zeroed_box();
    let mut d_image: Box<N::Input> = bytemuck::zeroed_box();
    let mut d_scores: Box<N::Output> = bytemuck::zeroed_box();
    let mut gradient: Box<N> = bytemuck::zeroed_box();
    let mut moments: [Box<N>; 2] = [bytemuck::zeroed_box(), bytemuck::zeroed_box()];
    image.as_mut_slice().fill(N::Scalar::of(0.5));

    assert_eq!(
        allocations(|| net.forward(&image, &mut arena).as_slice().len()),
        0
    );
    let mut seen = 0;
    let looking = allocations(|| {
        net.observe(&image, &mut arena, |_, volume| {
            seen += volume.as_slice().len()
        });
        net.observe_train(&image, &mut tape, 1, |_, volume| {
            seen += volume.as_slice().len()
        });
    });
    assert_eq!(looking, 0);
    assert_ne!(seen, 0);
    let step = Step::at(&convnet::schedule::Constant(1e-3), 0);
    let training = allocations(|| {
        let scores = net.forward_train(&image, &mut tape, 1).as_slice();
        let loss = SoftmaxCrossEntropy::default();
        assert!(loss.loss(scores, 3, d_scores.as_mut_slice()).is_ok());
        net.backward(
            &image,
            Some(&mut d_image),
            &mut tape,
            &d_scores,
            &mut gradient,
        );
        let [m, v] = &mut moments;
        let stepped = Adam::default().step(step, net, &*gradient, &mut [&mut **m, &mut **v]);
        assert!(stepped.is_ok());
    });
    assert_eq!(training, 0);
}

#[test]
fn neither_inference_nor_a_step_of_training_allocates() {
    assert_eq!(allocations(|| Box::new(1)), 1, "the count counts");
    check(&mut *Net::<f32>::random(1));
    check(&mut *Net::<f64>::random(2));
    check(&mut *Outer::<f32>::random(3));
}
