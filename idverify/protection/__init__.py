"""Keys, sealing and protected templates: the only place where biometric data becomes ciphertext and back."""
