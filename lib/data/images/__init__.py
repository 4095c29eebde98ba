"""Records of images: pictures with their labels, kept as Parquet with the image type of Hugging Face."""
