"""What may leave the building: the gate, the certificate, the dataset card and the pack."""
