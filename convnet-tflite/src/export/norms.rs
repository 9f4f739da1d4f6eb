//! Layers that normalise, of the operators that there are.

use super::{Export, Tensor, Volume};
use crate::flatbuffer::{Table, Value};
use crate::model::{self, Kind};

impl<F: Fn(&str) -> Option<Tensor>> Export<F> {
    /// Each depth slice times a factor, plus a summand.
    pub(super) fn rescaled(
        &mut self,
        name: &str,
        x: usize,
        factors: usize,
        summands: usize,
    ) -> usize {
        let scaled = format!("{name}.scaled");
        let scaled = self.alike(model::MUL, &scaled, vec![x, factors], Table::new());
        self.alike(model::ADD, name, vec![scaled, summands], Table::new())
    }

    pub(super) fn rescaled_by(
        &mut self,
        name: &str,
        x: usize,
        by: Vec<f64>,
        plus: Vec<f64>,
    ) -> usize {
        let [by, plus] = [("factors", by), ("summands", plus)].map(|(field, values)| {
            let values: Vec<f32> = values.into_iter().map(|it| it as f32).collect();
            self.floats(format!("{name}.{field}"), vec![values.len()], values)
        });
        self.rescaled(name, x, by, plus)
    }

    pub(super) fn batch_norm(&mut self, name: &str, x: Volume, eps: f64, affine: bool) -> usize {
        let mut of = |field: &str| -> Vec<f64> {
            let (_, values) = self.values::<1>(&format!("{name}.{field}"));
            values.into_iter().map(f64::from).collect()
        };
        let [mean, variance] = ["mean", "variance"].map(&mut of);
        let [gamma, beta] = match affine {
            true => ["gamma", "beta"].map(&mut of),
            false => [vec![1.0; mean.len()], vec![0.0; mean.len()]],
        };
        let factors = gamma.iter().zip(variance);
        let factors: Vec<f64> = factors
            .map(|(gamma, it)| gamma / (it + eps).sqrt())
            .collect();
        let moved = beta.iter().zip(mean).zip(&factors);
        let summands = moved.map(|((beta, mean), by)| beta - mean * by).collect();
        self.rescaled_by(name, x.at, factors, summands)
    }

    pub(super) fn group_norm(&mut self, name: &str, x: Volume, groups: usize, eps: f64) -> usize {
        let [height, width, depth] = x.size;
        let cut = vec![1, height * width, groups, depth / groups.max(1)];
        let back = self.model.tensors[x.at].shape.clone();
        let cut = self.reshape(format!("{name}.cut"), x.at, cut);
        let normal = self.normal(name, cut, &[1, 3], eps);
        let normal = self.reshape(format!("{name}.whole"), normal, back);
        let (gamma, beta) = (self.own::<1>(name, "gamma"), self.own::<1>(name, "beta"));
        self.rescaled(name, normal, gamma, beta)
    }

    pub(super) fn layer_norm(&mut self, name: &str, x: Volume, eps: f64) -> usize {
        let last = self.model.tensors[x.at].shape.len() - 1;
        let normal = self.normal(name, x.at, &[last], eps);
        let (gamma, beta) = (self.own::<1>(name, "gamma"), self.own::<1>(name, "beta"));
        self.rescaled(name, normal, gamma, beta)
    }

    pub(super) fn layer_norm_volume(&mut self, name: &str, x: Volume, eps: f64) -> usize {
        let x = self.deep(x);
        let normal = self.normal(name, x, &[1, 2, 3], eps);
        let (gamma, beta) = (self.own::<3>(name, "gamma"), self.own::<3>(name, "beta"));
        self.rescaled(name, normal, gamma, beta)
    }

    /// (x − μ)/√(σ² + ε), the mean and the variance along some axes.
    fn normal(&mut self, layer: &str, x: usize, axes: &[usize], eps: f64) -> usize {
        let step = |step: &str| format!("{layer}.{step}");
        let mean = self.mean(&step("mean"), x, axes);
        let inputs = vec![x, mean];
        let squares = self.alike(
            model::SQUARED_DIFFERENCE,
            &step("squares"),
            inputs.clone(),
            Table::new(),
        );
        let centred = self.alike(model::SUB, &step("centred"), inputs, Table::new());
        let variance = self.mean(&step("variance"), squares, axes);
        let variance = self.by(model::ADD, layer, "above_zero", variance, eps);
        let factor = self.alike(model::RSQRT, &step("factor"), vec![variance], Table::new());
        self.alike(
            model::MUL,
            &step("normal"),
            vec![centred, factor],
            Table::new(),
        )
    }

    /// Of one number along these axes, which stay.
    fn mean(&mut self, name: &str, x: usize, axes: &[usize]) -> usize {
        let mut shape = self.model.tensors[x].shape.clone();
        axes.iter().for_each(|&axis| shape[axis] = 1);
        let axes: Vec<i32> = axes.iter().map(|&axis| axis as i32).collect();
        let axes = self.ints(format!("{name}.axes"), &axes);
        let keeps = vec![(0, Value::Int(1))];
        self.model
            .push(model::MEAN, name.into(), vec![x, axes], shape, keeps)
    }

    pub(super) fn lrn(
        &mut self,
        name: &str,
        x: Volume,
        size: usize,
        [alpha, beta, k]: [f64; 3],
    ) -> usize {
        let x = self.deep(x);
        // Of the mean here, of the sum there.
        let alpha = alpha / size as f64;
        if size % 2 == 1 {
            let radius = (0, Value::Int(size as i32 / 2));
            let all = [k, alpha, beta].map(|it| Value::Float(it as f32));
            let options = [radius].into_iter().chain((1..).zip(all)).collect();
            let kind = model::LOCAL_RESPONSE_NORMALIZATION;
            return self.alike(kind, name, vec![x], options);
        }
        // With a neighbour more in front than behind: a conv that sums squares.
        let step = |step: &str| format!("{name}.{step}");
        let mut alike =
            |kind: Kind, at: &str, inputs| self.alike(kind, &step(at), inputs, Table::new());
        let squares = alike(model::MUL, "squares", vec![x, x]);
        let depth = self.model.tensors[x].shape[3];
        let sees = |at: usize| {
            let (slice, other) = (at / depth, at % depth);
            other + size / 2 >= slice && other < slice + size / 2
        };
        let band = (0..depth * depth).map(|at| if sees(at) { alpha as f32 } else { 0.0 });
        let band = self.floats(step("band"), vec![depth, 1, 1, depth], band.collect());
        let bias = self.floats(step("k"), vec![depth], vec![k as f32; depth]);
        let options = [0, 1, 1, 0, 1, 1].map(Value::Int);
        let options = options.into_iter().enumerate().collect();
        let sums = self.alike(
            model::CONV_2D,
            &step("sums"),
            vec![squares, band, bias],
            options,
        );
        let factor = self.by(model::POW, name, "factor", sums, -beta);
        self.alike(model::MUL, name, vec![x, factor], Table::new())
    }
}
