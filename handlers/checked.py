"""What people say to 请核对, wherever they are shown what they have filled in."""

RIGHT = ("没错", "对的", "核对无误", "是对的", "提交", "就这样")
WRONG = ("写错了", "错了", "有错", "重写")
