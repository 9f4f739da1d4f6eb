//! tract reads the file, and optimises it for so many images.

use std::path::Path;

use tract_linalg::multithread::{Executor, set_default_executor};
use tract_onnx::prelude::*;

use crate::{Images, Result, Run};

pub fn ready(path: &Path, images: Images, threads: usize) -> Result<Run> {
    if threads > 1 {
        set_default_executor(Executor::multithread(threads));
    }
    let fact = InferenceFact::dt_shape(f32::datum_type(), images.shape());
    let model = tract_onnx::onnx().model_for_path(path)?;
    let model = model
        .with_input_fact(0, fact)?
        .into_optimized()?
        .into_runnable()?;
    let input: TValue = Tensor::from_shape(&images.shape(), &images.data)?.into();
    Ok(Box::new(move || {
        let scores = model
            .run(tvec!(input.clone()))
            .expect("a model that was made ready");
        let scores = scores[0]
            .to_plain_array_view::<f32>()
            .expect("scores in f32");
        scores.iter().copied().collect()
    }))
}
