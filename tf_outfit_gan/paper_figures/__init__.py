"""The paper's figures 3 to 5 and tables 1 and 2 (Yildirim et al., arXiv 1908.08847), from any snapshot."""
