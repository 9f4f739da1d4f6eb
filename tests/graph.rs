//! A declaration as data: every hyperparameter, every edge; and planned again from that.

use convnet::graph::{BLOCKS, Node, Op};
use convnet::plan::{Draft, Options, place_of};
use convnet::shape::{Fit, Padding, Window};
use convnet::{AnyVolume, ElementType, Network, Parameters, Summary, convnet};

const FILTERS: usize = 6;
const EPS: f64 = 1e-3;

convnet! {
    struct Stem { input(8x6x4), conv1: conv(4, 1x1, bias = none), tanh }
}

convnet! {
    #[row_by_row]
    struct Net {
        input(16x12x3),
        conv1: conv(8, 5x3, pad = same),
        relu6,
        max_pool(2x2),
        body: [residual { conv(8, 3x3, pad = 1, groups = 2), batch_norm(eps = 1e-2) }] * 2,
        down: residual {
            conv(4, 3x3, stride = 2, pad = (0, 1, 1, 0), fit = crop, dilation = 1),
            shortcut { conv(4, 2x2, stride = 2) },
        },
        concat { [leaky_relu, conv(3, 1x1)], [] },
        lrn(3),
        conv_transpose(5, 2x2, stride = 2),
        dropout(0.25),
        scores: fc(10),
        softmax,
    }
}

convnet! {
    struct ByName {
        input(8x6x4),
        stem: network(Stem),
        conv1: conv(FILTERS, 3x3, pad = same),
        batch_norm(eps = EPS),
        relu,
        scores: fc(FILTERS),
    }
}

fn named<'a>(graph: &'a [Node<'a>], name: &str) -> (usize, &'a Node<'a>) {
    let mut nodes = graph.iter().enumerate();
    nodes.find(|(_, node)| node.name == name).expect(name)
}

#[test]
fn a_node_has_every_hyperparameter() {
    let (_, conv) = named(Net::GRAPH, "conv1");
    let window = Window {
        size: [3, 5],
        dilation: [1, 1],
        stride: [1, 1],
        padding: Padding::Same,
        fit: Fit::Exact,
    };
    let expected = Op::Conv {
        filters: 8,
        groups: 1,
        bias: true,
        window,
    };
    assert_eq!(
        (conv.op.word().name, conv.op, conv.volume),
        ("conv", expected, [12, 16, 8])
    );
    let (_, norm) = named(Net::GRAPH, "body.residual1.batch_norm1");
    assert_eq!(norm.op.to_string(), "batch_norm(eps = 0.01)");
    let (_, lrn) = named(Net::GRAPH, "lrn1");
    let expected = Op::Lrn {
        size: 3,
        alpha: 1e-4,
        beta: 0.75,
        k: 1.0,
    };
    assert_eq!(lrn.op, expected);
    let (_, drop) = named(Net::GRAPH, "dropout1");
    assert_eq!(drop.op, Op::Dropout { rate: 0.25 });
    let (_, leak) = named(Net::GRAPH, "concat1.leaky_relu1");
    assert_eq!(leak.op, Op::LeakyRelu { slope: 0.01 });
    let (at, pool) = named(Net::GRAPH, "max_pool1");
    assert!(matches!(pool.op, Op::MaxPool { .. }), "{:?}", pool.op);
    assert_eq!(pool.op.reads(at), (2, None));
}

#[test]
fn edges_lead_where_volumes_come_from() {
    let graph = Net::GRAPH;
    let writes = |volume: usize| graph[volume - 1].name;
    let (at, add) = named(graph, "body.residual1");
    let (before, Some(input)) = add.op.reads(at) else {
        panic!("{:?}", add.op)
    };
    assert_eq!(writes(before), "body.residual1.batch_norm1");
    assert_eq!(writes(input), "max_pool1");
    let branch = graph
        .iter()
        .position(|node| matches!(node.op, Op::Branch { .. }));
    let branch = branch.expect("a shortcut");
    let (from, None) = graph[branch].op.reads(branch) else {
        panic!("{:?}", graph[branch].op)
    };
    assert_eq!(
        (graph[branch].name, writes(from)),
        ("down", "body.residual2")
    );
}

#[test]
fn a_node_finds_its_tensors() {
    let tensors = <Net as Parameters>::TENSORS;
    let names = |name: &str| -> Vec<_> {
        let (_, node) = named(Net::GRAPH, name);
        node.tensors(tensors)
            .iter()
            .map(|tensor| tensor.name)
            .collect()
    };
    assert_eq!(names("conv1"), ["conv1.filters", "conv1.bias"]);
    assert_eq!(names("body.residual2.batch_norm1").len(), 4);
    // The block itself has none, though those inside begin with its name.
    assert!(names("body.residual2").is_empty() && names("softmax1").is_empty());
    let (_, stem) = named(ByName::GRAPH, "stem");
    let inside: Vec<_> = stem
        .tensors(<ByName as Parameters>::TENSORS)
        .iter()
        .map(|t| t.name)
        .collect();
    assert_eq!(inside, ["stem.conv1.filters"]);
}

/// Sizes by name are numbers here, and a network inside brings its own graph.
#[test]
fn names_have_their_values() {
    let (_, conv) = named(ByName::GRAPH, "conv1");
    assert!(matches!(
        conv.op,
        Op::Conv {
            filters: 6,
            groups: 1,
            ..
        }
    ));
    assert_eq!(conv.volume, [6, 8, 6]);
    let (_, norm) = named(ByName::GRAPH, "batch_norm1");
    assert_eq!(norm.op.to_string(), "batch_norm(eps = 0.001)");
    let (_, stem) = named(ByName::GRAPH, "stem");
    let Op::Network { what } = stem.op else {
        panic!("{:?}", stem.op)
    };
    assert_eq!((what.path, what.graph), ("Stem", Stem::GRAPH));
    assert_eq!(what.nested.parameters, 16);
}

#[test]
fn tensors_and_volumes_are_made_of_the_network_s_scalar() {
    assert_eq!(ByName::<f32>::ELEMENT, ElementType::F32);
    assert_eq!(ByName::<f64>::ELEMENT, ElementType::F64);
}

#[test]
fn a_graph_is_planned_again_at_run_time() {
    planned_again::<Net>();
    planned_again::<Net<f64>>();
    planned_again::<ByName>();
    planned_again::<Stem>();
}

fn planned_again<N: Network>() {
    let ops: Vec<Op> = N::GRAPH.iter().map(|node| node.op).collect();
    let options = Options {
        row_by_row: N::ROW_BY_ROW,
        ..Options::DEFAULT
    };
    let (steps, totals) = place_of(N::Input::SHAPE, &ops, options).expect("it fits");
    let volumes: Vec<_> = N::GRAPH.iter().map(|node| node.volume).collect();
    assert_eq!(
        steps.iter().map(|step| step.volume).collect::<Vec<_>>(),
        volumes
    );
    let in_f32 = size_of::<N::Arena>() / size_of::<N::Scalar>() * size_of::<f32>();
    assert_eq!(totals.arena, in_f32);
    assert_eq!(volumes.last(), Some(&N::Output::SHAPE));
}

/// The same table, by the same code, without a macro.
#[test]
fn a_draft_of_a_graph_has_the_same_table() {
    let draft = Draft::of("Net", <Net as Network>::Input::SHAPE, Net::GRAPH);
    let draft = draft.row_by_row(Net::<f32>::ROW_BY_ROW);
    let planned = draft.plan().expect("it fits");
    assert_eq!(planned.summary().layers, Net::LAYERS);
    let expected = Summary {
        packing: &[],
        ..Net::summary()
    };
    assert_eq!(planned.to_string(), expected.to_string());
    assert_eq!(planned.graph().collect::<Vec<_>>(), Net::GRAPH);
}

/// What a layer is shown as, is that layer; but for what blocks and networks are made of.
#[test]
fn a_graph_is_text_and_back() {
    for node in Net::GRAPH {
        let inner = Op::is_shown(&node.op) && BLOCKS.iter().all(|word| *word != node.op.word());
        match node.op.to_string().parse::<Op>() {
            Ok(op) => assert_eq!(op, node.op),
            Err(error) => assert!(!inner, "{}: {error}", node.op),
        }
    }
}
