"""Aug-PE: private evolution of synthetic text, by a model that is never trained (Lin et al. 2024; Xie et al. 2024)."""
