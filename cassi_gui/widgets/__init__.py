"""Small controls that take data through methods and give intent through signals."""
