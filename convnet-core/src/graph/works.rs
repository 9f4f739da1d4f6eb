//! How layers work: what the plan and the macro ask of them, and never their names.

use super::{Manner, Op, RoleOf, Sees};
use crate::layer::batch_norm;
use crate::shape::Window;

/// Where the images of a batch meet at a layer, in training: there a pass is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Nowhere.
    Nowhere,
    /// They exchange [moments](crate::moments).
    Moments,
    /// Several are computed at once, if the layer is large.
    MicroBatches,
    /// Where they do in the network that it is.
    Inside,
}

impl<N, W, D, P> Op<N, W, D, P> {
    /// How it works.
    #[must_use]
    pub const fn manner(&self) -> Manner {
        // A type, with parameters.
        if let Self::Own { learns: true, .. } = self {
            return Manner::Filters;
        }
        self.word().manner
    }

    /// What each output sees of the input.
    #[must_use]
    pub const fn sees(&self) -> Sees {
        self.word().sees
    }

    /// Whether it is a `relu` or a `relu6`.
    #[must_use]
    pub const fn is_clamp(&self) -> bool {
        matches!(self.manner(), Manner::Clamps)
    }

    /// Whether backward reads the layer's input again: then the tape keeps it. (`max_pool` looks
    /// for its maxima again; an average needs only the gradient.)
    #[must_use]
    pub const fn backward_reads_x(&self) -> bool {
        matches!(
            self.manner(),
            Manner::Filters
                | Manner::Normalises
                | Manner::Selects
                | Manner::ActivatesByInput
                | Manner::Multiplies
        )
    }

    /// Whether backward reads the layer's output again: then nothing may overwrite it in the tape.
    #[must_use]
    pub const fn backward_reads_y(&self) -> bool {
        matches!(self.manner(), Manner::Clamps | Manner::Activates)
    }

    /// Whether it learns.
    #[must_use]
    pub const fn has_parameters(&self) -> bool {
        matches!(self.manner(), Manner::Filters | Manner::Normalises)
    }

    /// Whether it writes another volume than the one that it reads, in training.
    #[must_use]
    pub const fn works_apart(&self) -> bool {
        match self.manner() {
            Manner::Filters
            | Manner::Normalises
            | Manner::Selects
            | Manner::Averages
            | Manner::ActivatesByInput
            | Manner::Multiplies
            | Manner::Concatenates => true,
            Manner::Clamps
            | Manner::Activates
            | Manner::Drops
            | Manner::Passes
            | Manner::Branches
            | Manner::Adds => false,
        }
    }

    /// Whether what it writes is as large as what it reads, whatever that is.
    #[must_use]
    pub const fn keeps_shape(&self) -> bool {
        match self.manner() {
            Manner::Normalises
            | Manner::ActivatesByInput
            | Manner::Clamps
            | Manner::Activates
            | Manner::Drops
            | Manner::Passes
            | Manner::Adds => true,
            Manner::Filters
            | Manner::Selects
            | Manner::Averages
            | Manner::Branches
            | Manner::Multiplies
            | Manner::Concatenates => false,
        }
    }

    /// Whether it works apart in training, and in place at inference.
    #[must_use]
    pub const fn infers_in_place(&self) -> bool {
        matches!(self.manner(), Manner::Normalises | Manner::ActivatesByInput)
    }

    /// Whether it writes another volume than the one that it reads, at inference.
    #[must_use]
    pub const fn infers_apart(&self) -> bool {
        self.works_apart() && !self.infers_in_place()
    }

    /// Whether nothing is to be done: what it reads is what it writes.
    #[must_use]
    pub const fn is_idle(&self, training: bool) -> bool {
        match self.manner() {
            Manner::Passes | Manner::Branches => true,
            Manner::Drops => !training,
            Manner::Filters
            | Manner::Normalises
            | Manner::Selects
            | Manner::Averages
            | Manner::Clamps
            | Manner::Activates
            | Manner::ActivatesByInput
            | Manner::Adds
            | Manner::Multiplies
            | Manner::Concatenates => false,
        }
    }

    /// Whether it is a line of a table: of a block, the end is.
    #[must_use]
    pub const fn is_shown(&self) -> bool {
        match self.ends_branch() {
            Some((_, last)) => last,
            None => self.branches_from().is_none(),
        }
    }

    /// Of what ends a branch whose volume becomes a slice: the slices that lie there already, by the branch
    /// before; and whether it is the last one.
    #[must_use]
    pub const fn ends_branch(&self) -> Option<(Option<usize>, bool)> {
        if let Self::Concat { onto, last, .. } | Self::Outputs { onto, last, .. } = self {
            return Some((*onto, *last));
        }
        None
    }

    /// Whether it is the `max_pool` of windows.
    #[must_use]
    pub const fn is_max_pool(&self) -> bool {
        matches!((self.manner(), self.sees()), (Manner::Selects, Sees::Pools))
    }

    /// Whether it has weights that meet what it reads: filters that slide or not.
    #[must_use]
    pub const fn has_filters(&self) -> bool {
        let (tensors, mut at) = (self.word().tensors, 0);
        while at < tensors.len() {
            if matches!(tensors[at].role, RoleOf::Filters | RoleOf::Weights) {
                return true;
            }
            at += 1;
        }
        false
    }

    /// Whether it is a `conv`: K filters that slide.
    #[must_use]
    pub const fn is_conv(&self) -> bool {
        self.has_filters() && self.filters().is_some() && matches!(self.sees(), Sees::Slides)
    }

    /// Whether two ways through a block meet at it.
    #[must_use]
    pub const fn joins(&self) -> bool {
        matches!(
            self.manner(),
            Manner::Adds | Manner::Multiplies | Manner::Concatenates
        )
    }

    /// How many rows and columns a `conv_transpose` adds.
    #[must_use]
    pub const fn output_pad(&self) -> Option<&N> {
        if let Self::ConvTranspose { output_pad, .. } = self {
            return Some(output_pad);
        }
        None
    }

    /// Where the images of a batch meet at it, in training.
    #[must_use]
    pub const fn cut(&self) -> Cut {
        match (self.manner(), self.sees()) {
            (Manner::Normalises, _) => Cut::Moments,
            (Manner::Filters, Sees::Everything) => Cut::MicroBatches,
            (Manner::Filters, Sees::Inner) => Cut::Inside,
            (
                Manner::Filters,
                Sees::Pixel
                | Sees::Slides
                | Sees::Pools
                | Sees::Stamps
                | Sees::Padded
                | Sees::Between
                | Sees::All
                | Sees::Anything,
            )
            | (
                Manner::Selects
                | Manner::Averages
                | Manner::Clamps
                | Manner::Activates
                | Manner::ActivatesByInput
                | Manner::Drops
                | Manner::Passes
                | Manner::Branches
                | Manner::Adds
                | Manner::Multiplies
                | Manner::Concatenates,
                _,
            ) => Cut::Nowhere,
        }
    }

    /// The volume that the second way through a block begins with, if it does here.
    #[must_use]
    pub const fn branches_from(&self) -> Option<usize> {
        match self.manner() {
            Manner::Branches => self.names(),
            Manner::Filters
            | Manner::Normalises
            | Manner::Selects
            | Manner::Averages
            | Manner::Clamps
            | Manner::Activates
            | Manner::ActivatesByInput
            | Manner::Drops
            | Manner::Passes
            | Manner::Adds
            | Manner::Multiplies
            | Manner::Concatenates => None,
        }
    }

    /// The volume that it reads as op `at` of a list, and the one that it reads beside it: 0 is the
    /// image, v is what op v − 1 writes.
    #[must_use]
    pub const fn reads(&self, at: usize) -> (usize, Option<usize>) {
        match self.branches_from() {
            Some(from) => (from, None),
            None => (at, self.names()),
        }
    }
}

impl Op {
    /// `conv(filters, window)`, in one group, with biases.
    #[must_use]
    pub const fn conv(filters: usize, window: Window) -> Self {
        Self::Conv {
            filters,
            groups: 1,
            bias: true,
            window,
        }
    }

    /// `batch_norm`, as it is where nothing else is written.
    pub const BATCH_NORM: Self = Self::BatchNorm {
        eps: batch_norm::EPS,
        momentum: batch_norm::MOMENTUM,
        affine: true,
    };

    /// `fc(filters)`, with biases.
    #[must_use]
    pub const fn fc(filters: usize) -> Self {
        Self::Fc {
            filters,
            bias: true,
        }
    }
}
