"""Private evolution of texts (Aug-PE) and images, by what is never trained (Lin et al. 2024; Xie et al. 2024)."""
