//! Networks that people know, as declarations; each says where its figures are published.

mod alexnet;
mod cifar;
mod densenet;
mod googlenet;
mod inception;
mod lenet;
mod mobile;
mod mobilenet;
mod resnet;
mod resnet50;
mod shufflenet;
mod squeezenet;
mod unet;
mod vgg;
mod zfnet;

pub(crate) use alexnet::{AlexNet, TorchAlexNet};
pub(crate) use cifar::{Cifar10Quick, ConvNetJs};
pub(crate) use densenet::DenseNet121;
pub(crate) use googlenet::GoogLeNet;
pub(crate) use inception::InceptionV3;
pub(crate) use lenet::LeNet5;
pub(crate) use mobile::{EfficientNetB0, MnasNet, MobileNetV2, MobileNetV3Large, MobileNetV3Small};
pub(crate) use mobilenet::MobileNet;
pub(crate) use resnet::{ResNet18, ResNet34};
pub(crate) use resnet50::ResNet50;
pub(crate) use shufflenet::ShuffleNetV2;
pub(crate) use squeezenet::{SqueezeNet10, SqueezeNet11};
pub(crate) use unet::UNet;
pub(crate) use vgg::{Vgg16, Vgg19};
pub(crate) use zfnet::ZfNet;
