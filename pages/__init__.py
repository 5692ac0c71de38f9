"""What all pages for people share: rendering, languages, sessions, security headers, errors as pages."""
