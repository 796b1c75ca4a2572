"""The privacy engine: pure mathematics, without files, clocks, databases or a source of randomness.

RP is Xiao, He, Zhang and Kifer, "An Optimal and Scalable Matrix Mechanism for Noisy Marginals under Convex
Loss Functions" (NeurIPS 2023); CKS20 is Canonne, Kamath and Steinke, "The Discrete Gaussian for
Differential Privacy" (2020).
"""
