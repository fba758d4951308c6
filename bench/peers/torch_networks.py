"""The networks of `tilegrad bench train --against torch`, written for PyTorch by hand.

They take parameters by the names of tilegrad's state dict. Images are [N, C, H, W], filters
[K, C, R, S] and weights of dense layers [out, in].
"""

import torch
import torch.nn.functional as functional

# The running statistics keep 0.99 of their value, as in Keras.
MOMENTUM, EPSILON = 0.01, 1e-3


class Network:
    """Layers by name, with the parameters that they take and the statistics that they keep."""

    def __init__(self, parameters):
        self.parameters = parameters
        self.unused = set(parameters)
        self.statistics = {}

    def take(self, name):
        self.unused.discard(name)
        return self.parameters[name]

    def convolution(self, x, name, stride=1, padding=0):
        return functional.conv2d(
            x, self.take(f"{name}.weight"), self.take(f"{name}.bias"), stride, padding
        )

    def dense(self, x, name):
        return functional.linear(x, self.take(f"{name}.weight"), self.take(f"{name}.bias"))

    def norm(self, x, name):
        gamma, beta = self.take(f"{name}.gamma"), self.take(f"{name}.beta")
        if name not in self.statistics:
            zeros = torch.zeros_like(gamma.detach())
            self.statistics[name] = (zeros, torch.ones_like(zeros))
        mean, variance = self.statistics[name]
        return functional.batch_norm(x, mean, variance, gamma, beta, True, MOMENTUM, EPSILON)


def flat(x):
    """In the order of [N, H, W, C], which the rows of the dense weights have."""
    return x.permute(0, 2, 3, 1).reshape(x.shape[0], -1)


def mnist_cnn(network, x):
    for name in ("0", "2"):
        x = functional.relu(network.convolution(x, name, padding=2))
        x = functional.max_pool2d(x, 2)
    return network.dense(functional.relu(network.dense(flat(x), "5")), "7")


def bottleneck(network, x, name, stride):
    relu = functional.relu
    inner = relu(network.norm(network.convolution(x, f"{name}.conv1", stride), f"{name}.bn1"))
    inner = relu(network.norm(network.convolution(inner, f"{name}.conv2", padding=1), f"{name}.bn2"))
    inner = network.norm(network.convolution(inner, f"{name}.conv3"), f"{name}.bn3")
    if f"{name}.downsample.0.weight" in network.parameters:
        shortcut = network.convolution(x, f"{name}.downsample.0", stride)
        x = network.norm(shortcut, f"{name}.downsample.1")
    return relu(inner + x)


def resnet101_v1(network, x):
    x = network.convolution(x, "conv1", stride=2, padding=3)
    x = functional.max_pool2d(functional.relu(network.norm(x, "bn1")), 3, 2)
    for stage, blocks in enumerate((3, 4, 23, 3)):
        for block in range(blocks):
            stride = 2 if stage > 0 and block == 0 else 1
            x = bottleneck(network, x, f"layer{stage + 1}.{block}", stride)
    return network.dense(flat(functional.avg_pool2d(x, 2)), "fc")


def cifar_vgg(network, x):
    # A layer's name is its place; dropout and pooling have places too.
    place = 0
    for convolutions in (2, 2, 3, 3, 3):
        for _ in range(convolutions):
            x = functional.relu(network.convolution(x, str(place), padding=1))
            x = network.norm(x, str(place + 1))
            place += 3
        x = functional.max_pool2d(x, 2)
    x = functional.relu(network.dense(flat(x), str(place + 2)))
    return network.dense(network.norm(x, str(place + 3)), str(place + 5))


NETWORKS = {"mnist-cnn": mnist_cnn, "resnet101-v1": resnet101_v1, "cifar-vgg": cifar_vgg}
