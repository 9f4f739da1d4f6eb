//! The int8 kernels compute what LiteRT does, to the bit: `int8/litert.py` made the expected values.

use convnet_core::kernel::Sizes;
use convnet_core::kernel::i8::quads::{Block, Conv, Depthwise, Ends, Machine, conv, depthwise};
use convnet_core::kernel::i8::{
    Add, Channel, Filters, Multiplier, Pool, Product, Quantization, Softmax, Table, hard_swish,
    leaky_relu, lookup, rescale, tabulate,
};
use serde_json::Value;

const CASES: &str = include_str!("int8/litert.json");
/// Arm's own, of CMSIS-NN's unit tests (Apache-2.0; the file says where they are from).
const CMSIS_NN: &str = include_str!("int8/cmsis_nn.json");
const NETWORKS: &str = include_str!("int8/networks.json");

#[test]
fn every_operation_is_litert_s_to_the_bit() {
    let cases: Vec<Value> = serde_json::from_str(CASES).unwrap();
    assert_eq!(cases.len(), 47);
    hold(&cases);
}

#[test]
fn cmsis_nn_s_test_vectors_hold_to_the_bit() {
    let file: Value = serde_json::from_str(CMSIS_NN).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 10);
    hold(cases);
}

fn hold(cases: &[Value]) {
    let mut wrong = Vec::new();
    for (at, case) in cases.iter().enumerate() {
        let expected = bytes(&case["y"]["values"]);
        let op = case["op"].as_str().unwrap();
        let other = case.get("other").map(|of| bytes(&of["values"]));
        let got = compute(op, case, bytes(&case["x"]["values"]), other.as_deref());
        let differ = got.iter().zip(&expected).filter(|(a, b)| a != b).count();
        if got.len() != expected.len() || differ > 0 {
            wrong.push(format!("case {at}, {op}: {differ} of {} differ", got.len()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Twenty random networks, layer after layer: by plain loops, and packed for each machine that is here.
#[test]
fn random_networks_are_litert_s_to_the_bit() {
    let networks: Vec<Value> = serde_json::from_str(NETWORKS).unwrap();
    assert_eq!(networks.len(), 20);
    for (at, network) in networks.iter().enumerate() {
        let mut volumes = vec![bytes(&network["x"])];
        for layer in network["layers"].as_array().unwrap() {
            let from = layer["from"].as_array().unwrap();
            let from = |which: usize| from.get(which).map(|at| at.as_u64().unwrap() as usize);
            let x = volumes[from(0).unwrap()].clone();
            let other = from(1).map(|at| &volumes[at][..]);
            let y = compute(layer["op"].as_str().unwrap(), layer, x, other);
            volumes.push(y);
        }
        let expected = bytes(&network["y"]);
        assert!(
            expected.iter().any(|y| *y != expected[0]),
            "network {at} says nothing"
        );
        assert_eq!(*volumes.last().unwrap(), expected, "network {at}");
    }
}

fn compute(op: &str, case: &Value, mut v: Vec<i8>, other: Option<&[i8]>) -> Vec<i8> {
    let (x, y) = (side(&case["x"]), clamped(case));
    let table: Table = match op {
        "conv" | "depthwise" | "fc" => return filters(op, case, x, y, &v),
        "max_pool" | "avg_pool" | "mean" => {
            let (sizes, mut to) = (sizes(case), vec![0; len(case)]);
            let pool = Pool { sizes: &sizes, y };
            match op {
                "max_pool" => pool.max(&v, &mut to).unwrap(),
                "mean" => {
                    let by = Multiplier::of(f64::from(x.scale) / f64::from(y.scale));
                    let by = by.of_mean(sizes.filter.iter().product());
                    pool.mean((&v, x.zero), by, &mut to).unwrap();
                }
                _ => pool.avg(&v, &mut to).unwrap(),
            }
            return to;
        }
        "add" => {
            let (with, of) = (other.unwrap(), side(&case["other"]));
            let sum = Add::new(x.scale, of.scale, y.scale);
            sum.accumulate(&mut v, x.zero, (with, of.zero), &y);
            return v;
        }
        "mul" => {
            let (with, of) = (other.unwrap(), side(&case["other"]));
            let product = Product::new(x.scale, of.scale, y.scale);
            let mut to = vec![0; len(case)];
            product.forward((&v, x.zero), (with, of.zero), (&mut to, &y));
            return to;
        }
        "rescale" => {
            let by = Multiplier::of(f64::from(x.scale) / f64::from(y.scale));
            return v.iter().map(|&v| rescale(v, x.zero, by, &y)).collect();
        }
        "softmax" => {
            Softmax::new(x.scale).forward(&mut v);
            return v;
        }
        "leaky_relu" => leaky_relu(&x, &y, 0.1),
        "hard_swish" => hard_swish(&x, &y),
        "sigmoid" => tabulate(&x, &y, |v| 1.0 / (1.0 + (-v).exp())),
        "tanh" => tabulate(&x, &y, f32::tanh),
        _ => panic!("{op}"),
    };
    lookup(&mut v, &table);
    v
}

fn filters(op: &str, case: &Value, x: Quantization, y: Quantization, v: &[i8]) -> Vec<i8> {
    let scales = case.get("scales").map(reals).unwrap_or_default();
    let (bias, sizes) = (&case["bias"], sizes(case));
    let channels: Vec<Channel> = (0..sizes.y[2])
        .map(|k| {
            let real = match &scales[..] {
                // What is said of it is the multiplier.
                [] => {
                    let [mantissa, shift] = ["multiplier", "shift"].map(|of| &case[of][k]);
                    let shift = shift.as_i64().unwrap() as i32;
                    f64::from(y.scale) * mantissa.as_f64().unwrap() * 2f64.powi(shift - 31)
                }
                // An `fc` with one scale multiplies in `f32`.
                &[scale] if op == "fc" => f64::from(x.scale * scale as f32),
                &[scale] => f64::from(x.scale) * scale,
                scales => f64::from(x.scale) * scales[k],
            };
            Channel {
                bias: bias[k].as_i64().unwrap() as i32,
                by: Multiplier::of(real / f64::from(y.scale)),
            }
        })
        .collect();
    let bank = bytes(&case["filters"]);
    let layer = Filters {
        sizes: &sizes,
        filters: &bank,
        channels: &channels,
        x_zero: x.zero,
        y,
    };
    let mut to = vec![0; len(case)];
    match op {
        "depthwise" => layer.depthwise(v, &mut to).unwrap(),
        _ => layer.conv(v, &mut to).unwrap(),
    }
    for machine in Machine::all() {
        assert_eq!(packed(machine, op, &layer, v), to, "{machine:?}");
    }
    to
}

/// The same with packed filters.
fn packed(machine: Machine, op: &str, layer: &Filters<'_>, v: &[i8]) -> Vec<i8> {
    let zeros = [layer.x_zero, layer.y.zero];
    let (sizes, own) = (layer.sizes, (layer.channels, zeros));
    let memory = match op {
        "depthwise" => depthwise::memory(machine, sizes),
        _ => conv::memory(machine, sizes),
    };
    let [blocks, ends, scratch] = memory.unwrap();
    let mut blocks: Vec<Block> = vec![[[0; 4]; 16]; blocks];
    let mut ends = vec![Ends::ZERO; ends];
    let mut y = vec![0; sizes.y.iter().product()];
    let to = (&mut blocks[..], &mut ends[..]);
    if op == "depthwise" {
        Depthwise::pack(machine, sizes, layer.filters, own, to).unwrap();
        let layer = Depthwise::new(machine, sizes, (&blocks, &ends), layer.x_zero, layer.y);
        let mut room: Vec<Block> = vec![[[0; 4]; 16]; scratch];
        layer.unwrap().forward(v, &mut room, &mut y).unwrap();
    } else {
        let len = layer.filters.len() / sizes.y[2];
        let filter = |k: usize, at: usize| layer.filters[k * len + at];
        Conv::pack(machine, sizes, filter, own, to).unwrap();
        let layer = Conv::new(machine, sizes, (&blocks, &ends), layer.x_zero, layer.y).unwrap();
        let mut room = vec![0; scratch];
        layer
            .rows(layer.laid_out(v, &mut room).unwrap(), 0, &mut y)
            .unwrap();
    }
    y
}

fn sizes(case: &Value) -> Sizes {
    let pair = |of: &Value| [0, 1].map(|at| of[at].as_u64().unwrap() as usize);
    Sizes {
        x: sizes_of(&case["x"]),
        filter: pair(&case["filter"]),
        stride: pair(&case["stride"]),
        dilation: case.get("dilation").map_or([1, 1], pair),
        before: pair(&case["before"]),
        y: sizes_of(&case["y"]),
        groups: case
            .get("groups")
            .map_or(1, |g| g.as_u64().unwrap() as usize),
    }
}

fn sizes_of(side: &Value) -> [usize; 3] {
    [0, 1, 2].map(|at| side["shape"][at].as_u64().unwrap_or(1) as usize)
}

fn side(of: &Value) -> Quantization {
    let scale = of["scale"].as_f64().unwrap() as f32;
    Quantization::new(scale, of["zero"].as_i64().unwrap() as i8)
}

fn clamped(case: &Value) -> Quantization {
    let y = side(&case["y"]);
    if let [lower, upper] = case["clamp"].as_array().map_or(&[][..], |ends| ends) {
        let [lower, upper] = [lower, upper].map(|end| end.as_i64().unwrap() as i8);
        return Quantization { lower, upper, ..y };
    }
    match case["clamp"].as_str() {
        Some("relu") => y.relu(),
        Some("relu6") => y.relu6(),
        _ => y,
    }
}

fn len(case: &Value) -> usize {
    sizes_of(&case["y"]).iter().product()
}

fn reals(of: &Value) -> Vec<f64> {
    let all = of.as_array().unwrap().iter();
    all.map(|v| v.as_f64().unwrap()).collect()
}

fn bytes(of: &Value) -> Vec<i8> {
    let all = of.as_array().unwrap().iter();
    all.map(|v| v.as_i64().unwrap() as i8).collect()
}
