"""Paper dolls: a synthetic catalogue of drawn fashion models with exact truth.

Places in a picture are complex numbers, x + iy, in picture heights: x grows to the right, y downwards, and a product
with 1j is a quarter turn clockwise. Sizes of bodies and cuts are in body units, of which a standing figure is 1 high.
Sides are the person's: right (0) appears on the viewer's left, left (1) on the viewer's right.
"""
