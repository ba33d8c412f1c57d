"""The step of rosinality/style-based-gan-pytorch: its networks, and what its train.py does with `--loss r1 --mixing`."""

import itertools
import random
import sys

import torch
from torch.nn import functional as F

STEP = 4  # Its number of the 64-pixel level.
EMA_DECAY = 0.999


def version():
    return f"PyTorch {torch.__version__}"


def build(checkout, widths, batch, precision, variant):
    """`variant` is the memory format: "contiguous", as published, or "channels_last"."""
    sys.path.insert(0, checkout)
    import model

    memory_format = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}[variant]
    networks = _generator(model, widths), _discriminator(model, widths), _generator(model, widths)
    generator, discriminator, average = (network.to(memory_format=memory_format) for network in networks)
    average.load_state_dict(generator.state_dict())
    settings = {"lr": 0.001, "betas": (0.0, 0.99)}
    mapping = {"params": generator.style.parameters(), "lr": 0.001 * 0.01}
    generator_optimizer = torch.optim.Adam([{"params": generator.generator.parameters()}, mapping], **settings)
    discriminator_optimizer = torch.optim.Adam(discriminator.parameters(), **settings)
    reals = torch.rand(batch, 3, 64, 64).mul(2).sub(1).to(memory_format=memory_format)

    def latents():
        return list(torch.randn(2 if random.random() < 0.9 else 1, batch, 512))

    def train():
        # The discriminator: reals, R1 on them, fakes.
        generator.requires_grad_(False)
        discriminator.requires_grad_(True)
        discriminator.zero_grad()
        real = reals.clone().requires_grad_()
        scores = discriminator(real, step=STEP, alpha=1)
        F.softplus(-scores).mean().backward(retain_graph=True)
        (gradient,) = torch.autograd.grad(scores.sum(), real, create_graph=True)
        (10 / 2 * gradient.flatten(1).square().sum(1).mean()).backward()
        fake = generator(latents(), step=STEP, alpha=1)
        F.softplus(discriminator(fake, step=STEP, alpha=1)).mean().backward()
        discriminator_optimizer.step()

        # The generator.
        generator.requires_grad_(True)
        discriminator.requires_grad_(False)
        generator.zero_grad()
        fake = generator(latents(), step=STEP, alpha=1)
        F.softplus(-discriminator(fake, step=STEP, alpha=1)).mean().backward()
        generator_optimizer.step()

        # Its average.
        with torch.no_grad():
            for kept, new in zip(average.parameters(), generator.parameters()):
                kept.mul_(EMA_DECAY).add_(new, alpha=1 - EMA_DECAY)

    def step():
        # The backward passes are inside too: its own blur is a function that needs the casts there.
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "mixed_bfloat16"):
            train()

    return step


def _generator(model, widths):
    """Its generator with the levels up to 64 pixels alone, in these widths."""
    found = model.StyledGenerator(512)
    blocks = [model.StyledConvBlock(widths[0], widths[0], 3, 1, initial=True)]
    blocks += [model.StyledConvBlock(below, above, 3, 1, upsample=True) for below, above in itertools.pairwise(widths)]
    found.generator.progression = torch.nn.ModuleList(blocks)
    found.generator.to_rgb = torch.nn.ModuleList([model.EqualConv2d(width, 3, 1) for width in widths])
    return found


def _discriminator(model, widths):
    """Its discriminator likewise; it lists its levels from the largest."""
    found = model.Discriminator(from_rgb_activate=True)
    falling = widths[::-1]
    blocks = [model.ConvBlock(above, below, 3, 1, downsample=True) for above, below in itertools.pairwise(falling)]
    blocks.append(model.ConvBlock(widths[0] + 1, widths[0], 3, 1, 4, 0))
    found.progression = torch.nn.ModuleList(blocks)
    found.from_rgb = torch.nn.ModuleList(
        [torch.nn.Sequential(model.EqualConv2d(3, width, 1), torch.nn.LeakyReLU(0.2)) for width in falling]
    )
    found.n_layer = len(blocks)
    found.linear = model.EqualLinear(widths[0], 1)
    return found
