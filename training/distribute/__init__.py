"""Training on several devices or machines: who takes part, how they meet, and what if one is lost."""
