//! Ways that meet side by side, as blocks that lie in each other.

use std::collections::HashMap;

use super::{Activation, Attributes, Axes, Axis, Node, Translated, Translator, Value, What};
use crate::blocks::fork;
use crate::onnx::fold::places;

/// How many blocks may lie in each other that the model has as one.
const DEEPEST: usize = 16;

/// Lists that were joined, as a tree of their volumes.
#[derive(Default)]
pub(super) struct Joined {
    /// From a place in the tree, by a volume, to the next one; 0 is the root.
    next: HashMap<(usize, usize), usize>,
    /// What the list is called that ends there.
    volumes: HashMap<usize, usize>,
}

impl Joined {
    /// The longest list, of two at least, that `list` begins with: what it is called, and how long it is.
    fn longest(&self, list: &[usize]) -> (Option<usize>, usize) {
        let (mut at, mut found) = (0, (None, 0));
        for (index, &volume) in list.iter().enumerate() {
            match self.next.get(&(at, volume)) {
                Some(&next) => at = next,
                None => break,
            }
            if let Some(&volume) = self.volumes.get(&at) {
                found = (Some(volume), index + 1);
            }
        }
        found
    }

    fn insert(&mut self, list: &[usize], called: usize) {
        let mut at = 0;
        for &volume in list {
            let new = self.next.len() + 1;
            at = *self.next.entry((at, volume)).or_insert(new);
        }
        self.volumes.insert(at, called);
    }
}

impl<'a> Translator<'a> {
    pub(super) fn concat(&mut self, node: &'a Node) -> Translated {
        let attributes = Attributes::of(node, &["axis"])?;
        let all = (0..node.input.len()).map(|at| self.activation(node, at));
        let all = all.collect::<Result<Vec<_>, _>>()?;
        let first = all.first().ok_or("it joins nothing")?;
        let axis = places(&[attributes.int("axis", 1)], self.dims(first).len())?[0];
        let [height, width, _] = self.volume(first);
        let deep = match &first.axes {
            Axes::Four(axes) => axes[axis] == Axis::Depth,
            // One value a slice.
            Axes::Flat(_) => axis == 1 && height == 1 && width == 1,
            Axes::Rows(..) => {
                return Err(format!(
                    "it joins rows of {} maps, which no layer does: in front of it each map is an output, `--output NAME`",
                    all.len()
                ));
            }
        };
        if !deep {
            return Err("it joins along another axis than the depth".into());
        }
        let mut depth = 0;
        for it in &all {
            let [h, w, d] = self.volume(it);
            if it.axes != first.axes || [h, w] != [height, width] {
                return Err(format!(
                    "{:?} and {:?} are not of one height and width",
                    self.dims(first),
                    self.dims(it)
                ));
            }
            depth += d;
        }
        if let [only] = all.as_slice() {
            return Ok(Value::Activation(only.clone()));
        }
        let volume = [height, width, depth];
        // One is one there.
        if self.declared.is_some() {
            return Ok(self.meet(What::Concat, &all, volume));
        }
        // Of the model's own list, whatever becomes of it.
        let list: Vec<usize> = all.iter().map(|it| it.volume).collect();
        let (known, rest) = self.joined.longest(&list);
        let mut all = all;
        if let Some(volume) = known {
            let axes = all[0].axes.clone();
            let begin = Activation {
                volume,
                axes,
                pad: [0; 4],
            };
            all.splice(..rest, [begin]);
        }
        if let [only] = all.as_slice() {
            return Ok(Value::Activation(only.clone()));
        }
        let all = self.nested(&all, 0);
        let value = self.meet(What::Concat, &all, volume);
        self.joined.insert(&list, self.steps.len());
        Ok(value)
    }

    /// The same with neighbours joined first that come from a volume which the others do not come from: exporters
    /// write one `Concat` for blocks that lie in each other.
    fn nested(&mut self, ways: &[Activation], depth: usize) -> Vec<Activation> {
        if depth == DEEPEST {
            return ways.to_vec();
        }
        let volumes = ways.iter().map(|way| way.volume);
        let fork = volumes.reduce(|a, b| self.common(a, b));
        let (mut nested, mut rest) = (Vec::new(), ways);
        while let Some(first) = rest.first() {
            let (mut common, mut count) = (first.volume, 1);
            for way in &rest[1..] {
                let both = self.common(common, way.volume);
                if Some(both) == fork {
                    break;
                }
                (common, count) = (both, count + 1);
            }
            let (group, behind) = rest.split_at(count);
            rest = behind;
            if count == 1 || count == ways.len() {
                nested.extend_from_slice(group);
                continue;
            }
            let [height, width, _] = self.volume(&group[0]);
            let slices = group.iter().map(|way| self.volume(way)[2]).sum();
            let group = self.nested(group, depth + 1);
            if let Value::Activation(it) = self.meet(What::Concat, &group, [height, width, slices])
            {
                nested.push(it);
            }
        }
        nested
    }

    /// The last volume that both come from.
    fn common(&mut self, a: usize, b: usize) -> usize {
        // Of the steps that are new.
        while let Some(step) = self.steps.get(self.dominators.len() - 1) {
            let dominator = fork(&self.dominators, &step.reads);
            self.dominators.push(dominator);
        }
        fork(&self.dominators, &[a, b])
    }
}
