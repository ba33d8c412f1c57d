"""The reference: a second, plain implementation of what a training run computes, to read beside the papers.

    schedule.py       which level, fade, batch and learning rate at which image count   1710.10196; StyleGAN's settings
    data.py           which entries a step sees, and which of them are mirrored          a function of the seed
    draws.py          the random numbers of a step                                       a function of seed and place
    conditions.py     heatmaps, bones, and articles laid over the body                   1908.08847, docs/measured.md
    networks.py       generator and discriminator                                        1812.04948; 1802.05637
    augmentation.py   adaptive augmentation of what the discriminator sees               2006.06676
    run.py            the step: phases, R1, mismatch, Adam, averages                     1812.04948; 1801.04406

It is as slow and as obvious as possible: float64, no layers, no graph, one gradient tape a phase, one picture at a
time where that reads better. A network is a dictionary from a weight's name, such as
"synthesis/levels/0/second/kernel", to its value. It shares no code with the run; of a configuration
it reads the fields.

N batch, H W pixels, C channels, K keypoints, S slots, L style layers, Z latent width, D style width.
"""
