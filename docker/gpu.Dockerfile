# Training on NVIDIA GPUs; CUDA comes with TensorFlow's wheels, the driver with the machine.
#   docker build -f docker/gpu.Dockerfile -t outfit-gan:gpu .
#   docker run --rm --gpus all -v "$PWD:/work" outfit-gan:gpu train runs/mine --data data --preset 256x192
FROM python:3.12-slim

COPY . /src
RUN pip install --no-cache-dir --constraint /src/constraints.txt "/src[gpu]" && rm -rf /src

RUN useradd --create-home --uid 1000 outfit
USER 1000
WORKDIR /work
ENTRYPOINT ["outfit-gan"]
CMD ["--help"]
