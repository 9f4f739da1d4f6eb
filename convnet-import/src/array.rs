//! Constants of a model: weights, and the numbers by which it reshapes.

/// A tensor whose values are known, in the axes of the model.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Array {
    pub(crate) dims: Vec<usize>,
    pub(crate) data: Data,
}

/// Its values, the last axis fastest.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Data {
    Float(Vec<f32>),
    Int(Vec<i64>),
}

impl Array {
    pub(crate) fn floats(dims: Vec<usize>, data: Vec<f32>) -> Self {
        Self {
            dims,
            data: Data::Float(data),
        }
    }

    pub(crate) fn ints(data: Vec<i64>) -> Self {
        Self {
            dims: vec![data.len()],
            data: Data::Int(data),
        }
    }

    pub(crate) fn len(&self) -> usize {
        match &self.data {
            Data::Float(data) => data.len(),
            Data::Int(data) => data.len(),
        }
    }

    pub(crate) fn as_floats(&self) -> Option<&[f32]> {
        match &self.data {
            Data::Float(data) => Some(data),
            Data::Int(_) => None,
        }
    }

    pub(crate) fn as_ints(&self) -> Option<&[i64]> {
        match &self.data {
            Data::Int(data) => Some(data),
            Data::Float(_) => None,
        }
    }

    /// The same values in other axes; `None` if they are not as many.
    pub(crate) fn reshaped(&self, dims: Vec<usize>) -> Option<Self> {
        (volume(&dims)? == self.len()).then(|| Self {
            dims,
            data: self.data.clone(),
        })
    }

    /// Axis i of what comes out is axis `order[i]` of this one.
    pub(crate) fn transposed(&self, order: &[usize]) -> Option<Self> {
        let mut seen = vec![false; self.dims.len()];
        for &axis in order {
            if std::mem::replace(seen.get_mut(axis)?, true) {
                return None;
            }
        }
        if order.len() != self.dims.len() {
            return None;
        }
        let mut strides = vec![1; order.len()];
        for axis in (1..order.len()).rev() {
            strides[axis - 1] = strides[axis] * self.dims[axis];
        }
        let dims: Vec<usize> = order.iter().map(|&axis| self.dims[axis]).collect();
        let from = |mut at: usize| {
            let axes = order.iter().zip(&dims).rev();
            axes.map(|(&axis, &size)| {
                let index = at % size;
                at /= size;
                index * strides[axis]
            })
            .sum::<usize>()
        };
        let data = match &self.data {
            Data::Float(data) => Data::Float((0..data.len()).map(|at| data[from(at)]).collect()),
            Data::Int(data) => Data::Int((0..data.len()).map(|at| data[from(at)]).collect()),
        };
        Some(Self { dims, data })
    }
}

/// How many values there are in such axes, if one can count them.
pub(crate) fn volume(dims: &[usize]) -> Option<usize> {
    dims.iter()
        .try_fold(1_usize, |product, &size| product.checked_mul(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_are_exchanged() {
        let array = Array::floats(vec![2, 3], vec![0.0, 1.0, 2.0, 10.0, 11.0, 12.0]);
        let turned = array.transposed(&[1, 0]).expect("two axes");
        assert_eq!(
            turned,
            Array::floats(vec![3, 2], vec![0.0, 10.0, 1.0, 11.0, 2.0, 12.0])
        );
        assert_eq!(array.transposed(&[0, 0]), None);
        assert_eq!(array.transposed(&[0]), None);
        assert_eq!(array.reshaped(vec![4, 2]), None);
    }
}
