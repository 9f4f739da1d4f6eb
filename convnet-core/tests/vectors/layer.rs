//! Layers, forward and backward. `table.rs` says which type each case instantiates.

use convnet_core::layer::{Activation, Conv, Layer, Relu, Slide};
use convnet_core::{AnyVolume, Real, Volume};

use crate::case::{Case, assert_close, case, cases, of};
use crate::table;

/// Those of one group, five of them with a dilation.
#[test]
fn conv() {
    both("conv2d", 48, table::conv::<f64>, table::conv::<f32>);
}

/// The twelve others: eleven with groups, and one depthwise.
#[test]
fn grouped_conv() {
    let grouped = (table::grouped_conv::<f64>, table::grouped_conv::<f32>);
    both("conv2d", 11, grouped.0, grouped.1);
    both(
        "conv2d",
        1,
        table::depthwise::<f64>,
        table::depthwise::<f32>,
    );
    // A depthwise conv is one of as many groups as depth slices.
    check::<Conv<f64, 5, 1, 4, 4, Slide<3, 1, 2, 0>, 1>, Volume<f64, 1, 3, 4>, Volume<f64, 1, 3, 4>>(
        "043",
        Conv::ZERO,
        |conv| {
            [
                conv.filters
                    .as_flattened_mut()
                    .as_flattened_mut()
                    .as_flattened_mut(),
                &mut conv.bias,
            ]
        },
    );
}

#[test]
fn max_pool() {
    both(
        "max_pool2d",
        30,
        table::max_pool::<f64>,
        table::max_pool::<f32>,
    );
}

/// All but two, which count padding as pixels.
#[test]
fn avg_pool() {
    both(
        "avg_pool2d",
        13,
        table::avg_pool::<f64>,
        table::avg_pool::<f32>,
    );
}

#[test]
fn fc() {
    both("fc", 14, table::fc::<f64>, table::fc::<f32>);
}

#[test]
fn relu() {
    both("relu", 4, table::relu::<f64>, table::relu::<f32>);
}

/// Runs the table in both precisions; every case of `op` is in it but those that do not apply.
fn both(
    op: &str,
    count: usize,
    double: fn() -> Vec<&'static str>,
    single: fn() -> Vec<&'static str>,
) {
    let (run, all) = (double(), cases(op).count());
    assert_eq!(single(), run);
    println!("{op}: {} of {all} cases", run.len());
    assert_eq!(run.len(), count);
    let known = |id: &&str| cases(op).any(|case| case.id == **id);
    assert!(
        run.iter().all(known) && run.is_sorted_by(|a, b| a < b),
        "{run:?}"
    );
}

/// Forward and backward of every image of a case. `parameters`: the filters, flat, and the bias.
pub(crate) fn check<L, X, Y>(
    id: &str,
    zero: L,
    parameters: impl Fn(&mut L) -> [&mut [X::Scalar]; 2],
) where
    L: Layer<X, Y> + Clone,
    X: AnyVolume<Scalar: Real>,
    Y: AnyVolume<Scalar = X::Scalar>,
{
    let case = case(id);
    let (mut layer, mut gradient) = (zero.clone(), zero);
    let [filters, bias] = parameters(&mut layer);
    let places = if case.has("weight") {
        places(case, X::SHAPE)
    } else {
        Vec::new()
    };
    if case.has("weight") {
        let weights = &case.tensor("weight").values;
        assert_eq!(places.len(), weights.len());
        places
            .iter()
            .zip(weights)
            .for_each(|(&place, &w)| filters[place] = X::Scalar::of(w));
        bias.copy_from_slice(&of(&case.tensor("bias").values));
    }

    let (mut x, mut dx, mut y, mut dy) = (X::zeroed(), X::zeroed(), Y::zeroed(), Y::zeroed());
    for n in 0..case.tensor("x").shape[0] {
        read(case, "x", n, &mut x);
        read(case, "dy", n, &mut dy);
        layer.forward(&x, &mut y);
        layer.backward(&x, &mut dx, &dy, &mut gradient);
        compare(case, "y", n, &y);
        compare(case, "dx", n, &dx);
    }
    if case.has("weight") {
        let [filters, bias] = parameters(&mut gradient);
        let filters: Vec<_> = places.iter().map(|&place| filters[place]).collect();
        assert_close(
            &format!("{id}.dweight"),
            &filters,
            &case.tensor("dweight").values,
        );
        assert_close(&format!("{id}.dbias"), bias, &case.tensor("dbias").values);
    }
}

/// Forward and backward of every image of an activation's case.
pub(crate) fn check_relu<V: AnyVolume<Scalar: Real>>(id: &str)
where
    Relu: Activation<V>,
{
    let case = case(id);
    let (mut v, mut dv) = (V::zeroed(), V::zeroed());
    for n in 0..case.tensor("x").shape[0] {
        read(case, "x", n, &mut v);
        read(case, "dy", n, &mut dv);
        Relu.forward(&mut v);
        Relu.backward(&v, &mut dv);
        compare(case, "y", n, &v);
        compare(case, "dx", n, &dv);
    }
}

/// Where each weight of PyTorch's `[K][D/groups][h][w]` lies in our `[FH][FW][D/groups][K]`; an `fc`
/// is a conv as large as its input.
fn places(case: &Case, [height, width, depth]: [usize; 3]) -> Vec<usize> {
    let [filters, depth, height, width] = match case.tensor("weight").shape[..] {
        [filters, depth, height, width] => [filters, depth, height, width],
        [filters, _] => [filters, depth, height, width],
        ref shape => panic!("{shape:?} are no weights"),
    };
    let mut places = Vec::new();
    for k in 0..filters {
        for d in 0..depth {
            let pixels = 0..height * width;
            places.extend(pixels.map(|pixel| (pixel * depth + d) * filters + k));
        }
    }
    places
}

fn read<V: AnyVolume<Scalar: Real>>(case: &Case, tensor: &str, n: usize, volume: &mut V) {
    volume
        .as_mut_slice()
        .copy_from_slice(&image(case, tensor, n));
}

fn compare<V: AnyVolume<Scalar: Real>>(case: &Case, tensor: &str, n: usize, volume: &V) {
    let what = format!("{}.{tensor}[{n}]", case.id);
    assert_close(&what, volume.as_slice(), &image(case, tensor, n));
}

/// Image or row of scores `n`.
fn image<T: Real>(case: &Case, tensor: &str, n: usize) -> Vec<T> {
    let tensor = case.tensor(tensor);
    if tensor.shape.len() == 4 {
        tensor.image(n)
    } else {
        tensor.row(n)
    }
}

/// `"id" [H, W, D] -> [HO, WO, K], FH x FW, slide;`
macro_rules! conv {
    ($($id:literal [$h:literal, $w:literal, $d:literal] -> [$ho:literal, $wo:literal, $k:literal],
        $fh:literal x $fw:literal, $slide:ty;)*) => {
        pub(crate) fn conv<T: convnet_core::Real>() -> Vec<&'static str> {
            use convnet_core::layer::{Conv, Slide};
            use convnet_core::Volume;
            $(super::layer::check::<
                Conv<T, $fh, $fw, $d, $k, $slide>, Volume<T, $h, $w, $d>, Volume<T, $ho, $wo, $k>,
            >($id, Conv::ZERO, |conv| [
                conv.filters.as_flattened_mut().as_flattened_mut().as_flattened_mut(),
                &mut conv.bias,
            ]);)*
            vec![$($id),*]
        }
    };
}

/// `"id" [H, W, G·D] -> [HO, WO, K], FH x FW x D, slide;`
macro_rules! grouped_conv {
    ($($id:literal [$h:literal, $w:literal, $dx:literal] -> [$ho:literal, $wo:literal, $k:literal],
        $fh:literal x $fw:literal x $d:literal, $slide:ty;)*) => {
        pub(crate) fn grouped_conv<T: convnet_core::Real>() -> Vec<&'static str> {
            use convnet_core::layer::{Conv, Slide};
            use convnet_core::Volume;
            $(super::layer::check::<
                Conv<T, $fh, $fw, $dx, $k, $slide, $d>,
                Volume<T, $h, $w, $dx>,
                Volume<T, $ho, $wo, $k>,
            >($id, Conv::ZERO, |conv| [
                conv.filters.as_flattened_mut().as_flattened_mut().as_flattened_mut(),
                &mut conv.bias,
            ]);)*
            vec![$($id),*]
        }
    };
}

/// `"id" [H, W, D] -> [HO, WO], FH x FW, slide;`
macro_rules! depthwise {
    ($($id:literal [$h:literal, $w:literal, $d:literal] -> [$ho:literal, $wo:literal],
        $fh:literal x $fw:literal, $slide:ty;)*) => {
        pub(crate) fn depthwise<T: convnet_core::Real>() -> Vec<&'static str> {
            use convnet_core::layer::{Depthwise, Slide};
            use convnet_core::Volume;
            $(super::layer::check::<
                Depthwise<T, $fh, $fw, $d, $slide>, Volume<T, $h, $w, $d>, Volume<T, $ho, $wo, $d>,
            >($id, Depthwise::ZERO, |conv| [
                conv.filters.as_flattened_mut().as_flattened_mut().as_flattened_mut(),
                &mut conv.bias,
            ]);)*
            vec![$($id),*]
        }
    };
}

/// `name Pool "id" [H, W, D] -> [HO, WO], FH x FW, slide;`
macro_rules! pool {
    ($name:ident $pool:ident $($id:literal [$h:literal, $w:literal, $d:literal]
        -> [$ho:literal, $wo:literal], $fh:literal x $fw:literal, $slide:ty;)*) => {
        pub(crate) fn $name<T: convnet_core::Real>() -> Vec<&'static str> {
            use convnet_core::layer::{$pool, Slide};
            use convnet_core::Volume;
            $(super::layer::check::<
                $pool<$fh, $fw, $slide>, Volume<T, $h, $w, $d>, Volume<T, $ho, $wo, $d>,
            >($id, $pool::new(), |_| [&mut [], &mut []]);)*
            vec![$($id),*]
        }
    };
}

/// `"id" [H, W, D] -> K;`
macro_rules! fc {
    ($($id:literal [$h:literal, $w:literal, $d:literal] -> $k:literal;)*) => {
        pub(crate) fn fc<T: convnet_core::Real>() -> Vec<&'static str> {
            use convnet_core::layer::Fc;
            use convnet_core::Volume;
            $(super::layer::check::<
                Fc<T, $h, $w, $d, $k>, Volume<T, $h, $w, $d>, Volume<T, 1, 1, $k>,
            >($id, Fc::ZERO, |fc| [
                fc.filters.as_flattened_mut().as_flattened_mut().as_flattened_mut(),
                &mut fc.bias,
            ]);)*
            vec![$($id),*]
        }
    };
}

/// `"id" [H, W, D];`
macro_rules! relu {
    ($($id:literal [$h:literal, $w:literal, $d:literal];)*) => {
        pub(crate) fn relu<T: convnet_core::Real>() -> Vec<&'static str> {
            $(super::layer::check_relu::<convnet_core::Volume<T, $h, $w, $d>>($id);)*
            vec![$($id),*]
        }
    };
}
