//! Ways that cross: a branch or a shortcut that begins at any earlier line, `from = name`. Forward against
//! the layers called one by one, every gradient against central differences, and every other path against
//! forward.

mod common;
#[path = "crossing/nets.rs"]
mod nets;

use common::check;
use convnet::graph::Op;
use convnet::layer::{AvgPool, MaxPool, Relu, Slide, Upsample};
use convnet::plan::Draft;
use convnet::prepare::{Prepare, Prepared};
use convnet::{Activation, AnyVolume, Layer, Network, Rng, Volume};

use nets::*;

#[test]
fn every_gradient_of_a_pyramid() {
    check::<Pyramid<f64>>(1);
}

#[test]
fn every_gradient_of_ways_that_cross_in_all_places() {
    check::<Names<f64>>(2);
}

#[test]
fn every_gradient_of_heads() {
    check::<Heads<f64>>(3);
    check::<ByName<f64>>(4);
}

fn plus<const H: usize, const W: usize, const D: usize>(
    a: &Volume<f32, H, W, D>,
    b: &Volume<f32, H, W, D>,
) -> Volume<f32, H, W, D> {
    let mut sum = a.clone();
    sum.accumulate(b);
    sum
}

/// Side by side in the depth.
fn beside<const H: usize, const W: usize, const A: usize, const B: usize, const D: usize>(
    a: &Volume<f32, H, W, A>,
    b: &Volume<f32, H, W, B>,
) -> Volume<f32, H, W, D> {
    let mut all = Volume::ZERO;
    for (y, row) in all.iter_mut().enumerate() {
        for (x, column) in row.iter_mut().enumerate() {
            column[..A].copy_from_slice(&a[y][x]);
            column[A..].copy_from_slice(&b[y][x]);
        }
    }
    all
}

/// What a layer makes of a volume.
macro_rules! of {
    ($layer:expr, $x:expr) => {{
        let mut y = Volume::ZERO;
        $layer.forward($x, &mut y);
        y
    }};
}

fn relu<const H: usize, const W: usize, const D: usize>(
    mut v: Volume<f32, H, W, D>,
) -> Volume<f32, H, W, D> {
    Relu.forward(&mut v);
    v
}

/// The same layers, called one by one.
fn pyramid(net: &Pyramid, x: &Volume<f32, 8, 8, 3>) -> Volume<f32, 1, 1, 4> {
    let c2: Volume<f32, 8, 8, 4> = relu(of!(net.c2_conv1, x));
    let c3: Volume<f32, 4, 4, 5> = relu(of!(net.c3_conv1, &c2));
    let c4: Volume<f32, 2, 2, 6> = relu(of!(net.conv1, &c3));
    let lateral: Volume<f32, 2, 2, 3> = of!(net.lateral, &c4);
    let up: Volume<f32, 4, 4, 3> = of!(Upsample::<2, 2>::new(), &lateral);
    let p3 = plus(&up, &of!(net.p3_shortcut_conv1, &c3));
    let up: Volume<f32, 8, 8, 3> = of!(Upsample::<2, 2>::new(), &p3);
    let p2 = plus(&up, &relu(of!(net.p2_shortcut_conv1, &c2)));
    let down: Volume<f32, 4, 4, 2> = relu(of!(net.n3_conv1, &p2));
    let n3: Volume<f32, 4, 4, 5> = beside(&down, &p3);
    let squeezed: Volume<f32, 4, 4, 3> = of!(net.squeeze, &n3);
    let pooled: Volume<f32, 2, 2, 3> = of!(MaxPool::<2, 2, Slide<2, 2, 0, 0>>::new(), &squeezed);
    let n4 = plus(&pooled, &lateral);
    let last: Volume<f32, 2, 2, 2> = relu(of!(net.concat2_conv1, &c4));
    let image: Volume<f32, 2, 2, 3> = of!(AvgPool::<4, 4, Slide<4, 4, 0, 0>>::new(), x);
    let all: Volume<f32, 2, 2, 5> = beside(&last, &n4);
    of!(net.scores, &beside::<2, 2, 5, 3, 8>(&all, &image))
}

fn images<N: Network<Scalar = f32>>(count: usize) -> Vec<Box<N::Input>> {
    let mut rng = Rng::new(15);
    let image = |_| {
        let mut image: Box<N::Input> = bytemuck::zeroed_box();
        let values = image.as_mut_slice().iter_mut();
        values.for_each(|v| *v = rng.normal() as f32);
        image
    };
    (0..count).map(image).collect()
}

fn assert_near(a: &[f32], b: &[f32]) {
    let most = a.iter().fold(0.0f32, |most, v| most.max(v.abs()));
    let near = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-5 * most;
    assert!(
        a.len() == b.len() && a.iter().zip(b).all(near),
        "{a:?}\n{b:?}"
    );
}

#[test]
fn a_pyramid_is_its_layers() {
    let net = Pyramid::random(5);
    let mut arena = Pyramid::arena();
    for x in images::<Pyramid>(4) {
        assert_near(
            net.forward(&x, &mut arena).as_slice(),
            pyramid(&net, &x).as_slice(),
        );
    }
}

/// Arena, tape and a prepared network give the same; so does a network in `f64`, to the bit.
fn agrees<N: convnet::Trainable<Scalar = f32> + Prepare>(net: &N) {
    let mut arena: Box<N::Arena> = bytemuck::zeroed_box();
    let mut tape: Box<N::Tape> = bytemuck::zeroed_box();
    let prepared = Prepared::new(net);
    let mut own = prepared.arena();
    for x in images::<N>(3) {
        let scores = net.forward(&x, &mut arena).as_slice().to_vec();
        assert_near(&scores, prepared.forward(&x, &mut own).as_slice());
        assert_near(&scores, net.forward_train(&x, &mut tape, 1).as_slice());
    }
}

#[test]
fn every_path_agrees() {
    agrees(&*Pyramid::random(6));
    agrees(&*Heads::random(7));
    agrees(&*ByName::random(8));
}

/// Which line's volume a line reads beside the one before.
fn read_by(graph: &'static [convnet::graph::Node<'static>], name: &str) -> Vec<&'static str> {
    let of = graph.iter().filter(|node| node.name == name);
    let named = of.filter_map(|node| node.op.names());
    named
        .map(|v| v.checked_sub(1).map_or("input", |at| graph[at].name))
        .collect()
}

#[test]
fn a_name_is_looked_up_from_the_inside_out() {
    let read = |name| read_by(Names::GRAPH, name);
    // The round's own, and not the first one's.
    assert_eq!(read("residual1"), ["a1", "residual1.conv1"]);
    assert_eq!(read("residual2"), ["a2", "residual2.conv1"]);
    // Where a branch begins at the block's input, it is as if nothing were said.
    let ways = ["stem.a", "way.concat1", "way.a", "way.concat1"];
    assert_eq!(read("way.concat1"), ways);
    assert_eq!(
        (read("way"), read("residual4")),
        (vec!["a2"], vec!["stem.b"])
    );
    assert_eq!(read("concat1")[0], "way");
    // What stands alone on a shortcut is added where it lies.
    let (add, from) = (read_by(Pyramid::GRAPH, "n4"), Op::Branch { from: 0 });
    assert_eq!(add, ["lateral"]);
    assert!(Pyramid::GRAPH.iter().any(|node| node.op == from));
}

#[test]
fn a_graph_is_planned_again() {
    let (input, graph) = (Pyramid::INPUT, Pyramid::GRAPH);
    let draft = Draft::of("Pyramid", input, graph);
    let planned = draft.plan().expect("it fits");
    assert!(planned.graph().eq(graph.iter().copied()));
    assert_eq!(planned.totals().arena, Pyramid::ARENA_BYTES);
    let table = planned.to_string();
    assert!(table.contains("p3.shortcut.conv1"), "{table}");
}

#[cfg(feature = "train")]
mod int8 {
    use super::*;
    use convnet::int8;
    use convnet::int8::{Int8, Quantize};

    int8!(Pyramid);

    #[test]
    fn its_int8_twin_is_near() {
        let net = Pyramid::random(9);
        let images = images::<Pyramid>(16);
        let twin = net.quantize(&images).expect("numbers");
        let report = twin.report(&net, &images);
        for line in &report.lines {
            assert!(line.decibels > 20.0, "{}: {report}", line.name);
        }
        let mut arena = Int8::<Pyramid>::arena();
        let (mut bytes, prepared) = (Volume::boxed(), twin.prepare());
        let mut own = prepared.arena();
        for image in &images {
            twin.encode(image, &mut bytes);
            let scores = twin.forward(&bytes, &mut arena);
            assert_eq!(prepared.forward(&bytes, &mut own), scores);
        }
    }
}
