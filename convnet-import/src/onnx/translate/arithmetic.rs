//! Sums, products and clamps.

use convnet_core::graph::{Decimals, Op};

use super::names::shortest;
use super::{
    Activation, Attributes, Axes, Axis, DEPTH_FIRST, Node, Step, Tensor, Translated, Translator,
    Value, What,
};
use crate::array::{Array, Data};

/// What older files say of two shapes.
const BROADCAST: [&str; 3] = ["axis", "broadcast", "consumed_inputs"];

impl<'a> Translator<'a> {
    pub(super) fn clip(&mut self, node: &'a Node) -> Translated {
        let known = ["max", "min"];
        let attributes = Attributes::of(node, &known)?;
        let bound = |at: usize, name: &str, none: f32| match node.input.get(at) {
            Some(input) if !input.is_empty() => self
                .array(input)
                .and_then(|it| it.as_floats()?.first().copied())
                .ok_or_else(|| format!("its {name} is computed")),
            _ => Ok(attributes.float(name, none)),
        };
        let op = match (bound(1, "min", f32::MIN)?, bound(2, "max", f32::MAX)?) {
            (0.0, 6.0) => Op::Relu6,
            (0.0, f32::MAX | f32::INFINITY) => Op::Relu,
            // Where only one is given, the other is the last number that there is.
            (low, high) => Op::Clamp {
                low: shortest(low.max(f32::MIN)),
                high: shortest(high.min(f32::MAX)),
            },
        };
        self.plain(node, &known, op)
    }

    pub(super) fn gelu(&mut self, node: &'a Node) -> Translated {
        let known = ["approximate"];
        let attributes = Attributes::of(node, &known)?;
        match attributes.text("approximate") {
            None | Some("none") => self.plain(node, &known, Op::Gelu),
            Some("tanh") => self.plain(node, &known, Op::GeluTanh),
            Some(other) => Err(format!(
                "its approximation is `{other}`: `none` or `tanh` are known"
            )),
        }
    }

    pub(super) fn hard_sigmoid(&mut self, node: &'a Node) -> Translated {
        let known = ["alpha", "beta"];
        let attributes = Attributes::of(node, &known)?;
        let (alpha, beta) = (
            attributes.float("alpha", 0.2),
            attributes.float("beta", 0.5),
        );
        match (alpha - 1.0 / 6.0).abs() < 1e-6 && beta == 0.5 {
            true => self.plain(node, &known, Op::HardSigmoid),
            // Another line, which goes into the layer in front, and its ends.
            false => {
                let line = Array::floats(Vec::new(), vec![alpha]);
                let name = node.input.first().ok_or("its input is missing")?;
                let Value::Activation(x) = self.affine(node, name, &line, multiply)? else {
                    return Err("its input is a constant".into());
                };
                let volume = self.volume(&x);
                if let Some(step) = x.volume.checked_sub(1) {
                    shift(&mut self.steps[step], &vec![beta; volume[2]]);
                }
                let (low, high) = (0.0, 1.0);
                Ok(self.push(node, Op::Clamp { low, high }, &x, volume, Vec::new()))
            }
        }
    }

    /// Two ways meet; or a bias.
    pub(super) fn add(&mut self, node: &'a Node) -> Translated {
        Attributes::of(node, &BROADCAST)?;
        let [a, b] = node.input.as_slice() else {
            return Err(format!("a sum of {}: of two it can be", node.input.len()));
        };
        for (x, constant) in [(a, b), (b, a)] {
            if let Some(array) = self.array(constant).cloned() {
                return self.affine(node, x, &array, shift);
            }
        }
        let (x, y) = (self.activation(node, 0)?, self.activation(node, 1)?);
        if self.volume(&x) != self.volume(&y) || x.axes != y.axes {
            return Err(format!(
                "{:?} and {:?} are not of one shape",
                self.dims(&x),
                self.dims(&y)
            ));
        }
        let volume = self.volume(&x);
        Ok(self.meet(What::Add, &[x, y], volume))
    }

    pub(super) fn mul(&mut self, node: &'a Node) -> Translated {
        Attributes::of(node, &BROADCAST)?;
        let [a, b] = node.input.as_slice() else {
            return Err("a product of two".into());
        };
        for (x, constant) in [(a, b), (b, a)] {
            if let Some(array) = self.array(constant).cloned() {
                if let Some(&[by]) = array.as_floats()
                    && (6.0 * by - 1.0).abs() < 1e-6
                    && let Some(value) = self.hard(x)
                {
                    return Ok(value);
                }
                return self.affine(node, x, &array, multiply);
            }
        }
        // x · hard_sigmoid(x), x · sigmoid(x).
        for (x, gate) in [(a, b), (b, a)] {
            let (Some(Value::Activation(read)), Some(step)) =
                (self.values.get(x.as_str()), self.own_step(gate))
            else {
                continue;
            };
            let it = &self.steps[step];
            let gated = match it.what {
                What::Layer(Op::HardSigmoid) => Some(Op::HardSwish),
                What::Layer(Op::Sigmoid) => Some(Op::Silu),
                _ => None,
            };
            if let Some(gated) = gated
                && it.reads == [read.volume]
                && step + 1 == self.steps.len()
                && self.is_part(step, node)
            {
                let value = Value::Activation(Activation {
                    volume: step + 1,
                    ..read.clone()
                });
                self.steps[step].what = What::Layer(gated);
                return Ok(value);
            }
        }
        // A volume and its factors, one a depth slice or one a number.
        let (a, b) = (self.activation(node, 0)?, self.activation(node, 1)?);
        let (x, gate) = match self.volume(&a) {
            [1, 1, _] => (b, a),
            _ => (a, b),
        };
        let [scaled, factors] = [self.volume(&x), self.volume(&gate)];
        if x.axes != gate.axes || (factors != scaled && factors != [1, 1, scaled[2]]) {
            return Err(format!(
                "{:?} times {:?}: `scale` multiplies by a volume as large, or by one factor a depth slice",
                self.dims(&x),
                self.dims(&gate)
            ));
        }
        Ok(self.meet(What::Mul, &[x, gate], scaled))
    }

    /// What is a sixth of `relu6(x + 3)`, `hard_sigmoid`, or of x times that, `hard_swish`; if nobody else reads what
    /// is in between.
    fn hard(&mut self, name: &str) -> Option<Value> {
        let last = self.own_step(name)?;
        if last + 1 != self.steps.len() || self.declared.is_some() {
            return None;
        }
        let (of, clipped, op) = match (&self.steps[last].what, self.steps[last].reads.as_slice()) {
            (What::Layer(Op::Relu6), _) => (None, last, Op::HardSigmoid),
            (What::Mul, &[a, b]) if a == last || b == last => {
                (Some(a + b - last), last.checked_sub(1)?, Op::HardSwish)
            }
            _ => return None,
        };
        let shifted = clipped.checked_sub(1)?;
        let (clip, shift) = (&self.steps[clipped], &self.steps[shifted]);
        let is = |field: &str, value: f32| {
            let mut tensors = shift.tensors.iter();
            tensors.any(|it| it.field == field && it.data.iter().all(|&it| it == value))
        };
        let is_it = matches!(clip.what, What::Layer(Op::Relu6))
            && clip.reads == [shifted + 1]
            && matches!(shift.what, What::Layer(Op::Affine))
            && is("gamma", 1.0)
            && is("beta", 3.0)
            && of.is_none_or(|of| shift.reads == [of])
            && (shifted..last).all(|step| self.to_come(step + 1) == 0);
        let Some(Value::Activation(x)) = self.values.get(name).filter(|_| is_it) else {
            return None;
        };
        let (x, volume) = (x.clone(), shift.reads[0]);
        self.steps.truncate(shifted);
        self.dominators.truncate(shifted + 1);
        let size = self.volume(&Activation {
            volume,
            ..x.clone()
        });
        Some(Value::Activation(self.moves(
            op,
            &Activation { volume, ..x },
            size,
        )))
    }

    /// One slope for all. With one that no `leaky_relu` has, such as −1, the layer that learns its slopes.
    pub(super) fn leaky_relu(&mut self, node: &'a Node) -> Translated {
        let known = ["alpha"];
        let slope = Attributes::of(node, &known)?.float("alpha", 0.01);
        if slope == 0.0 {
            return self.plain(node, &known, Op::Relu);
        }
        if slope > 0.0 && slope < 1.0 {
            let slope = shortest(slope);
            return self.plain(node, &known, Op::LeakyRelu { slope });
        }
        let x = self.activation(node, 0)?;
        let volume = self.volume(&x);
        let slopes = vec![Tensor::vector("slope", vec![slope; volume[2]])];
        Ok(self.push(node, Op::Prelu, &x, volume, slopes))
    }

    /// A slope for each depth slice.
    pub(super) fn prelu(&mut self, node: &'a Node) -> Translated {
        Attributes::of(node, &[])?;
        let slopes = self.weights(node, 1, "slopes")?.ok_or("it has no slopes")?;
        let x = self.activation(node, 0)?;
        let volume = self.volume(&x);
        let slopes = per_slice(&x, &slopes, volume[2]).ok_or_else(|| {
            format!(
                "its slopes of {:?} are not one for each of {} depth slices",
                slopes.dims, volume[2]
            )
        })?;
        let slopes = vec![Tensor::vector("slope", slopes)];
        Ok(self.push(node, Op::Prelu, &x, volume, slopes))
    }

    /// (image − mean)/std, by constants: what stands in a declaration, and is not learned. So does that of any volume in
    /// what `convnet::onnx` writes. Any other quotient is a product.
    pub(super) fn div(&mut self, node: &'a Node) -> Translated {
        match self.normalized(node) {
            Some(value) => Ok(value),
            None => self.turned(node, f32::recip, Self::mul),
        }
    }

    fn normalized(&mut self, node: &'a Node) -> Option<Value> {
        let [shifted, by] = node.input.as_slice() else {
            return None;
        };
        let step = self.own_step(shifted)?;
        let Some(Value::Activation(x)) = self.values.get(shifted.as_str()).cloned() else {
            return None;
        };
        let it = &self.steps[step];
        let field = |name: &str| it.tensors.iter().find(|it| it.field == name);
        let shifts = matches!(it.what, What::Layer(Op::Affine))
            && (it.reads == [0] || self.declared.is_some())
            && self.is_part(step, node)
            && field("gamma")?.data.iter().all(|&it| it == 1.0);
        let mean: Vec<f32> = field("beta")?.data.iter().map(|it| -it).collect();
        let std = per_slice(&x, self.array(by)?, mean.len())?;
        let (mean, std) = (decimals(&mean)?, decimals(&std)?);
        if !shifts || !std.as_slice().iter().all(|&it| it > 0.0) {
            return None;
        }
        let it = &mut self.steps[step];
        it.what = What::Layer(Op::Normalize { mean, std });
        it.tensors.clear();
        Some(Value::Activation(x))
    }

    /// A difference as a sum, a quotient as a product, if the second operand is a constant.
    pub(super) fn turned(
        &mut self,
        node: &'a Node,
        turn: fn(f32) -> f32,
        then: fn(&mut Self, &'a Node) -> Translated,
    ) -> Translated {
        let [_, constant] = node.input.as_slice() else {
            return Err("of two it can be".into());
        };
        let Some(array) = self.array(constant).cloned() else {
            return Err("its second operand is computed: it can be a constant".into());
        };
        let Data::Float(data) = array.data else {
            return Err("its second operand is of integers".into());
        };
        let turned = Array::floats(
            array.dims.clone(),
            data.iter().map(|&by| turn(by)).collect(),
        );
        let (before, turned) = (
            Array {
                data: Data::Float(data),
                ..array
            },
            Value::Constant(turned),
        );
        self.values.insert(constant, turned);
        let done = then(self, node);
        // Others may read it too.
        self.values.insert(constant, Value::Constant(before));
        done
    }

    /// Whether a step may become one with what a node computes. In a declaration each layer has its name, and of
    /// several nodes all but the last are called parts of it.
    pub(super) fn is_part(&self, step: usize, node: &Node) -> bool {
        let Some(lines) = &self.declared else {
            return true;
        };
        let name = self.steps[step].name.as_deref().unwrap_or_default();
        let part = name.strip_prefix(node.name.as_str());
        // A line in a block may have such a name, too.
        matches!(part, Some(".gate" | ".scaled" | ".shifted")) && !lines.contains(name)
    }

    /// A constant for each filter, taken into the layer that wrote `name`.
    fn affine(
        &mut self,
        node: &Node,
        name: &'a str,
        constant: &Array,
        change: impl Fn(&mut Step, &[f32]),
    ) -> Translated {
        let Some(Value::Activation(x)) = self.values.get(name).cloned() else {
            return Err("its input is missing".into());
        };
        let [_, _, depth] = self.volume(&x);
        let takes = |step: &usize| {
            let what = &self.steps[*step].what;
            matches!(
                what,
                What::Layer(
                    Op::Conv { .. }
                        | Op::Depthwise { .. }
                        | Op::Fc { .. }
                        | Op::BatchNorm { .. }
                        | Op::GroupNorm { .. }
                        | Op::LayerNorm { .. }
                        | Op::Affine
                )
            ) && self.is_part(*step, node)
        };
        let own = self.own_step(name).filter(takes);
        let by = per_slice(&x, constant, depth).ok_or_else(|| {
            format!(
                "a constant of {:?} is not one number for each of {depth} depth slices",
                constant.dims
            )
        })?;
        let Some(step) = own else {
            // A layer that does nothing, and takes it.
            let x = match x.pad {
                [0, 0, 0, 0] => x,
                _ => self.surrounded(&x)?,
            };
            let volume = self.volume(&x);
            let written = self.moves(Op::Affine, &x, volume);
            let ends = [("gamma", 1.0), ("beta", 0.0)];
            let step = &mut self.steps[written.volume - 1];
            step.tensors = ends
                .map(|(field, value)| Tensor::vector(field, vec![value; depth]))
                .into();
            change(step, &by);
            return Ok(Value::Activation(written));
        };
        change(&mut self.steps[step], &by);
        // What stood there before nobody can read any more.
        self.values.remove(name);
        Ok(Value::Activation(x))
    }

    pub(super) fn meet(&mut self, what: What, all: &[Activation], volume: [usize; 3]) -> Value {
        self.steps.push(Step {
            name: None,
            what,
            reads: all.iter().map(|it| it.volume).collect(),
            volume,
            tensors: Vec::new(),
        });
        let axes = all.first().map(|it| it.axes.clone());
        Value::Activation(Activation {
            volume: self.steps.len(),
            axes: axes.unwrap_or(Axes::Four(DEPTH_FIRST)),
            pad: [0; 4],
        })
    }
}

/// A list for a declaration: of one, if they are all the same; none, if there are too many.
fn decimals(numbers: &[f32]) -> Option<Decimals> {
    let (&first, rest) = numbers.split_first()?;
    let count = if rest.iter().all(|&it| it == first) {
        1
    } else {
        numbers.len()
    };
    // −0 is 0.
    let number = |at| shortest(numbers.get(at).copied().unwrap_or_default() + 0.0);
    let list = Decimals::first(count, number);
    (list.as_slice().len() == count && numbers.iter().all(|it| it.is_finite())).then_some(list)
}

/// A layer that writes so much more, slice by slice.
fn shift(step: &mut Step, by: &[f32]) {
    if let What::Layer(Op::Conv { bias, .. } | Op::Depthwise { bias, .. } | Op::Fc { bias, .. }) =
        &mut step.what
    {
        *bias = true;
    }
    let shift = |it: &&mut Tensor| matches!(&*it.field, "bias" | "beta");
    match step.tensors.iter_mut().find(shift) {
        Some(biases) => {
            let sums = biases.data.iter_mut().zip(by);
            sums.for_each(|(it, by)| *it += by);
        }
        None => step.tensors.push(Tensor::vector("bias", by.to_vec())),
    }
}

/// A layer that writes so many times what it wrote. Filters are the innermost axis of each tensor.
fn multiply(step: &mut Step, by: &[f32]) {
    let statistic = |it: &&mut Tensor| matches!(&*it.field, "mean" | "variance");
    for tensor in step.tensors.iter_mut().filter(|it| !statistic(it)) {
        let all = tensor.data.iter_mut().zip(by.iter().cycle());
        all.for_each(|(it, by)| *it *= by);
    }
}

/// One number for each of `depth` slices, if a constant is that as the model sees `x`.
fn per_slice(x: &Activation, constant: &Array, depth: usize) -> Option<Vec<f32>> {
    let data = constant.as_floats()?;
    if let &[one] = data {
        return Some(vec![one; depth]);
    }
    // Axes are counted from the last one.
    let behind = match &x.axes {
        Axes::Four(axes) => 3 - axes.iter().position(|it| *it == Axis::Depth)?,
        Axes::Flat(_) => 0,
        &Axes::Rows(order, [_, each]) => (order[2] == Axis::Depth && each == depth).then_some(0)?,
    };
    let place = constant.dims.len().checked_sub(1 + behind)?;
    let mut sizes = constant.dims.iter().enumerate();
    sizes
        .all(|(axis, &size)| size == if axis == place { depth } else { 1 })
        .then(|| data.to_vec())
}
