# Everything on processors: pictures, small trainings, export, the embedded server.
#   docker build -f docker/cpu.Dockerfile -t outfit-gan:cpu .
#   docker run --rm -v "$PWD:/work" outfit-gan:cpu render --outfit examples/outfits/office.json --out picture.png
FROM python:3.12-slim

COPY . /src
RUN pip install --no-cache-dir --constraint /src/constraints.txt /src && rm -rf /src

RUN useradd --create-home --uid 1000 outfit
USER 1000
WORKDIR /work
ENTRYPOINT ["outfit-gan"]
CMD ["--help"]
