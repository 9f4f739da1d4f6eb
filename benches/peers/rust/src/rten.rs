//! rten reads the file, and packs its filters before the first image.

use std::path::Path;
use std::sync::Arc;

use rten::{ModelOptions, RunOptions, ThreadPool};
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;

use crate::{Images, Result, Run};

pub fn ready(path: &Path, images: Images, pool: Arc<ThreadPool>) -> Result<Run> {
    let model = ModelOptions::with_all_ops()
        .prepack_weights(true)
        .load_file(path)?;
    let input = NdTensor::from_data(images.shape(), images.data);
    Ok(Box::new(move || {
        let options = RunOptions::default().with_thread_pool(Some(pool.clone()));
        let scores = model
            .run_one(input.view().into(), Some(options))
            .expect("a model that runs");
        let scores: rten_tensor::Tensor<f32> = scores.try_into().expect("scores in f32");
        scores.into_data()
    }))
}
