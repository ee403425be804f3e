"""What shape is the error, and how does it travel through layers?"""
