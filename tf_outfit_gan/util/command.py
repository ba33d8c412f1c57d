"""The command `outfit-gan`, as a process of its own."""

import sys

# -P keeps the folder that it runs in, which may hold a package `training`, from hiding ours.
OUTFIT_GAN = [sys.executable, "-P", "-m", "tf_outfit_gan.cli.main"]
