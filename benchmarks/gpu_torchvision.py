"""Images a second of torchvision's ResNet-50 on one GPU, tuned as its users do.

bfloat16 autocast, channels-last and `torch.compile`; random uint8 images on the device,
normalised there, SGD with momentum, accuracy accumulated on the device.
"""

import argparse
import json
import time
from typing import Any

import torch
import torchvision

from gpu_figures import CLASSES, MEAN, POOL, STD, add_arguments, describe_epochs


def main() -> None:
    """Trains and prints what was measured as one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    options = parser.parse_args()

    begin = time.perf_counter()
    device = torch.device("cuda")
    torch.manual_seed(0)
    torch.backends.cudnn.benchmark = True
    torch.set_float32_matmul_precision("high")
    model = torchvision.models.resnet50().to(device, memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    mean = 255 * torch.tensor(MEAN, device=device)[:, None, None]
    std = 255 * torch.tensor(STD, device=device)[:, None, None]

    @torch.compile
    def compute_loss(images: Any, labels: Any) -> tuple[Any, Any]:
        normalised = (images.float() - mean) / std
        with torch.autocast(device.type, torch.bfloat16):
            scores = model(normalised)
        loss = torch.nn.functional.cross_entropy(scores.float(), labels)
        return loss, (scores.argmax(1) == labels).sum()

    size = (options.batch_size, 3, options.image_size, options.image_size)
    pool = [
        (
            torch.randint(0, 256, size, dtype=torch.uint8, device=device).to(
                memory_format=torch.channels_last
            ),
            torch.randint(0, CLASSES, (options.batch_size,), device=device),
        )
        for _ in range(POOL)
    ]
    marks = [time.perf_counter()]
    for _ in range(options.epochs):
        total = torch.zeros((), device=device)
        correct = torch.zeros((), device=device)
        for step in range(options.steps):
            loss, right = compute_loss(*pool[step % POOL])
            loss.backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            total += loss.detach()
            correct += right
        mean_loss = float(total) / options.steps  # waits for the device
        float(correct)
        marks.append(time.perf_counter())
    figures = {
        **describe_epochs(options, begin=begin, marks=marks),
        "loss": mean_loss,
        "peak_gb": round(torch.cuda.max_memory_allocated() / 1e9, 1),
        "device": torch.cuda.get_device_name(),
        "versions": {
            "torch": torch.__version__,
            "torchvision": torchvision.__version__,
        },
    }
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
