//! The networks that have an int8 form, in bytes.

use std::hint::black_box;

use convnet::OnHeap;
use convnet::int8;
use convnet::int8::{Machine, Quantize, Quantized};

use super::nets::*;
use super::{Options, drawn, measure, mobile, mobilenet, peak, resnet, resnet50, squeezenet};

int8!(Cifar);
int8!(LeNet);
int8!(TinyVgg);
int8!(AlexNet);
int8!(Vgg16);
int8!(Conv64);
int8!(Conv128);
int8!(Conv256);
int8!(Conv512);
int8!(Pointwise);
int8!(resnet::ResNet18);
int8!(MobileNet25);
int8!(squeezenet::SqueezeNet11);
int8!(resnet50::ResNet50);
int8!(mobilenet::MobileNet);
int8!(mobile::MobileNetV2);
int8!(mobile::EfficientNetB0);

pub(crate) fn rows(options: &Options) {
    options.int8_row::<Cifar, _, _, _>("cifar");
    options.int8_row::<LeNet, _, _, _>("lenet");
    options.int8_row::<TinyVgg, _, _, _>("tiny_vgg");
    options.int8_row::<AlexNet, _, _, _>("alexnet");
    options.int8_row::<Vgg16, _, _, _>("vgg16");
    options.int8_row::<Conv64, _, _, _>("3x3_64_56");
    options.int8_row::<Conv128, _, _, _>("3x3_128_28");
    options.int8_row::<Conv256, _, _, _>("3x3_256_14");
    options.int8_row::<Conv512, _, _, _>("3x3_512_7");
    options.int8_row::<Pointwise, _, _, _>("1x1_256_14");
    options.int8_row::<resnet::ResNet18, _, _, _>("resnet18");
    options.int8_row::<MobileNet25, _, _, _>("mobilenet25_96");
    options.int8_row::<squeezenet::SqueezeNet11, _, _, _>("squeezenet11");
    options.int8_row::<resnet50::ResNet50, _, _, _>("resnet50");
    options.int8_row::<mobilenet::MobileNet, _, _, _>("mobilenet");
    options.int8_row::<mobile::MobileNetV2, _, _, _>("mobilenetv2");
    options.int8_row::<mobile::EfficientNetB0, _, _, _>("efficientnet_b0");
}

impl Options {
    fn int8_row<N, const F: usize, const C: usize, const V: usize>(&self, name: &str)
    where
        N: Quantize<Int8 = Quantized<N, F, C, V>> + OnHeap,
    {
        if !self.asks_for(name) {
            return;
        }
        let (net, image) = drawn::<N>();
        let twin = net.quantize(&[&*image]).expect("finite weights");
        let machine = match &self.machine {
            None => Machine::best(),
            Some(name) => Machine::all().find(|machine| format!("{machine:?}") == *name),
        };
        let twin_prepared = twin.prepare_for(machine);
        let mut arena = twin_prepared.arena();
        let mut bytes: Box<N::Image> = bytemuck::zeroed_box();
        twin.encode(&image, &mut bytes);
        let before = peak::gflops();
        let times = measure(self.seconds, || {
            black_box(twin_prepared.forward(black_box(&bytes), &mut arena));
        });
        self.print::<N>(name, times, before.max(peak::gflops()));
    }
}
