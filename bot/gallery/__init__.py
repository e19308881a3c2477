"""The gallery page: the finished pictures of the channels that opted in, for anybody to see."""
