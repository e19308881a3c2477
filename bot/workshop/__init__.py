"""Pictures made of pictures: copies, sheets and swatches, in processes that can be killed."""
