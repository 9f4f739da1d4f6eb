//! The same programs on this machine, with its own kernels.

use std::error::Error;

use convnet::int8::{Int8, Quantize, Quantized};
use convnet::{Arena, OnHeap, Trainable};
use nets::Words;
use nets::cifar::{self, NET0, NET1, NET2};
use nets::digits::{self, Digits};
use nets::tune::{self, Memory, Tuned};
use nets::{cifar8, digits8, keywords, mobile, numbers};

/// What a program computes, and what its network says that it needs.
pub(crate) struct Desktop {
    pub(crate) results: Vec<f32>,
    /// Bytes of parameters.
    pub(crate) parameters: usize,
    /// Bytes that the program asks for in a `static`.
    pub(crate) memory: u64,
    /// Bytes of its images.
    pub(crate) images: usize,
}

/// The network of a program.
pub(crate) fn network(program: &str) -> Result<Desktop, Box<dyn Error>> {
    let mut results = Results(Vec::new());
    let of_f32 = |scalars: usize| scalars * size_of::<f32>();
    let (parameters, memory, images) = match program {
        "digits" => {
            digits::run(&mut Digits::arena(), &mut results);
            (
                of_f32(Digits::PARAMETERS),
                Digits::ARENA_BYTES,
                size_of_val(&digits::IMAGES),
            )
        }
        "digits8" => {
            digits8::run(&mut Int8::<Digits>::arena(), &mut results);
            (
                Int8::<Digits>::PARAMETERS,
                Int8::<Digits>::ARENA_BYTES,
                size_of_val(&digits::IMAGES) / 4,
            )
        }
        "net0" => image(&NET0, &cifar::IMAGE, &mut results),
        "net1" => image(&NET1, &cifar::IMAGE, &mut results),
        "net2" => image(&NET2, &cifar::IMAGE, &mut results),
        "net0_8" => bytes(&cifar8::NET0, &cifar8::IMAGE, &mut results),
        "net1_8" => bytes(&cifar8::NET1, &cifar8::IMAGE, &mut results),
        "net2_8" => bytes(&cifar8::NET2, &cifar8::IMAGE, &mut results),
        "ds_cnn" => image(&keywords::NET, &keywords::IMAGE, &mut results),
        "ds_cnn_8" => bytes(&keywords::NET8, &keywords::IMAGE8, &mut results),
        "mobilenet" => image(&mobile::NET, &mobile::IMAGE, &mut results),
        "mobilenet_8" => bytes(&mobile::NET8, &mobile::IMAGE8, &mut results),
        "numbers" => {
            numbers::run(&mut Box::new(numbers::Memory::ZERO), &mut results);
            (0, size_of::<numbers::Memory>(), 0)
        }
        "tune" => {
            tune::run(&mut Box::new(Memory::ZERO), &mut results);
            (
                of_f32(Tuned::PARAMETERS),
                size_of::<Memory>(),
                size_of_val(&digits::IMAGES),
            )
        }
        _ => return Err(format!("there is no program {program}").into()),
    };
    Ok(Desktop {
        results: results.0,
        parameters,
        memory: memory as u64,
        images,
    })
}

fn image<N>(net: &N, image: &N::Input, results: &mut Results) -> (usize, usize, usize)
where
    N: Trainable<Scalar = f32>,
{
    nets::forward(net, image, &mut N::arena(), results);
    let parameters: usize = N::TENSORS.iter().map(convnet::Tensor::len).sum();
    (
        parameters * size_of::<f32>(),
        size_of::<Arena<N>>(),
        size_of::<N::Input>(),
    )
}

fn bytes<N, const F: usize, const C: usize, const V: usize>(
    net: &Quantized<N, F, C, V>,
    image: &N::Image,
    results: &mut Results,
) -> (usize, usize, usize)
where
    N: Quantize,
{
    nets::forward8(net, image, &mut Quantized::<N, F, C, V>::arena(), results);
    let [parameters, arena] = [
        Quantized::<N, F, C, V>::PARAMETERS,
        Quantized::<N, F, C, V>::ARENA_BYTES,
    ];
    (parameters, arena, size_of::<N::Image>())
}

struct Results(Vec<f32>);

impl Words for Results {
    fn begin(&mut self) {}

    fn end(&mut self) {}

    fn word(&mut self, bits: u32) {
        self.0.push(f32::from_bits(bits));
    }
}
