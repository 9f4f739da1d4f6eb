//! Networks that people know, as declarations; each says where its figures are published.

mod alexnet;
mod cifar;
mod googlenet;
mod lenet;
mod mobilenet;
mod resnet;
mod squeezenet;
mod vgg;
mod zfnet;

pub(crate) use alexnet::{AlexNet, TorchAlexNet};
pub(crate) use cifar::{Cifar10Quick, ConvNetJs};
pub(crate) use googlenet::GoogLeNet;
pub(crate) use lenet::LeNet5;
pub(crate) use mobilenet::MobileNet;
pub(crate) use resnet::{ResNet18, ResNet34};
pub(crate) use squeezenet::{SqueezeNet10, SqueezeNet11};
pub(crate) use vgg::{Vgg16, Vgg19};
pub(crate) use zfnet::ZfNet;
