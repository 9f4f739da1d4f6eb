//! What a layer is set to.

use serde_json::Value;

/// The settings of one layer, as the file has them.
#[derive(Clone, Copy)]
pub(super) struct Settings<'a>(pub(super) &'a Value);

impl<'a> Settings<'a> {
    /// `None` if it is not there, or `null`.
    pub(super) fn get(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|it| !it.is_null())
    }

    pub(super) fn text(self, name: &str) -> Option<&'a str> {
        self.get(name)?.as_str()
    }

    pub(super) fn flag(self, name: &str, default: bool) -> bool {
        self.get(name).and_then(Value::as_bool).unwrap_or(default)
    }

    pub(super) fn number(self, name: &str, default: f64) -> f64 {
        self.get(name).and_then(Value::as_f64).unwrap_or(default)
    }

    /// One whole number.
    pub(super) fn int(self, name: &str, default: i64) -> Result<i64, String> {
        match self.ints(name).as_deref() {
            None if self.get(name).is_none() => Ok(default),
            Some(&[one]) => Ok(one),
            _ => Err(format!("its `{name}` is not one whole number")),
        }
    }

    /// One whole number, or a list of them.
    pub(super) fn ints(self, name: &str) -> Option<Vec<i64>> {
        match self.get(name)? {
            Value::Array(all) => all.iter().map(Value::as_i64).collect(),
            one => Some(vec![one.as_i64()?]),
        }
    }

    /// One number or a list of them, of NumPy too.
    pub(super) fn floats(self, name: &str) -> Option<Vec<f32>> {
        floats(self.get(name)?)
    }

    /// One number for both axes, or one for each, height before width.
    pub(super) fn pair(self, name: &str, default: i64) -> Result<[i64; 2], String> {
        match self.ints(name).as_deref() {
            None if self.get(name).is_none() => Ok([default; 2]),
            Some(&[both]) => Ok([both; 2]),
            Some(&[down, across]) => Ok([down, across]),
            _ => Err(format!("its `{name}` is no pair")),
        }
    }

    /// So many at the top, the bottom, the left and the right.
    pub(super) fn sides(self, name: &str) -> Result<[i64; 4], String> {
        if let Ok([down, across]) = self.pair(name, 0) {
            return Ok([down, down, across, across]);
        }
        let ends = |at: usize| {
            let pair = self.get(name)?.get(at)?;
            Some([pair.get(0)?.as_i64()?, pair.get(1)?.as_i64()?])
        };
        match (ends(0), ends(1)) {
            (Some([top, bottom]), Some([left, right])) => Ok([top, bottom, left, right]),
            _ => Err(format!("its `{name}` is not two numbers, or two pairs")),
        }
    }

    /// The axis along which it normalises or joins, of `rank`; a list may have one.
    pub(super) fn axis(self, rank: usize) -> Result<i64, String> {
        match *self.axes(rank)? {
            [axis] => Ok(axis),
            _ => Err("it is along several axes".into()),
        }
    }

    /// The same where it may be along several: in order, and counted from the first one.
    pub(super) fn axes(self, rank: usize) -> Result<Vec<i64>, String> {
        let rank = rank as i64;
        let mut axes = match self.ints("axis") {
            None if self.get("axis").is_none() => vec![rank - 1],
            None => return Err("its `axis` is no whole number, and no list of them".into()),
            Some(axes) => axes,
        };
        for axis in axes.iter_mut().filter(|axis| **axis < 0) {
            *axis = axis.saturating_add(rank);
        }
        axes.sort_unstable();
        Ok(axes)
    }
}

fn floats(value: &Value) -> Option<Vec<f32>> {
    match value {
        Value::Array(all) => {
            let all: Option<Vec<_>> = all.iter().map(floats).collect();
            Some(all?.concat())
        }
        // {"class_name": "__numpy__", "config": {"value": […]}}
        Value::Object(all) => floats(all.get("config")?.get("value")?),
        one => Some(vec![one.as_f64()? as f32]),
    }
}
