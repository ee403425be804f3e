"""What do we print?"""
