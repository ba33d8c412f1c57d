"""The model: a StyleGAN that dresses people, after "Generating High-Resolution Fashion Model Images Wearing Custom
Outfits" (Yildirim, Jetchev, Vollgraf, Bergmann, 2019, arXiv 1908.08847).

One alphabet for shapes, in this whole project:

    N batch    H W pixels, height first    h w condition pixels    C channels    K keypoints (16)    S slots (6)
    L style layers (two a level)           Z latent width          D style width                     E embedding width
"""
