"""The city's own account: who answers there, and the menu under the chat."""

from core.chat.menus import Button, Menu
from core.chat.router import Router
from handlers import citizens, common, hospital, hospital_moving

router = Router("city").include(common.router, citizens.router, hospital.router, hospital_moving.router)

MENU = Menu(
    buttons=(
        Button(
            name="看病挂号",
            children=(
                Button(name="预约挂号", click="HOSPITAL_BOOK"),
                Button(name="我的预约", click="HOSPITAL_MINE"),
                Button(name="改期", click="HOSPITAL_MOVE"),
                Button(name="取消预约", click="HOSPITAL_CANCEL"),
                Button(name="看科室", click="HOSPITAL_DEPARTMENTS"),
            ),
        ),
        Button(
            name="我的",
            children=(
                Button(name="我的家人", click="FAMILY_MINE"),
                Button(name="绑定", click="FAMILY_BIND"),
                Button(name="解绑", click="FAMILY_UNBIND"),
                Button(name="谁看过我", click="DATA_LOOKS"),
                Button(name="我的数据", click="DATA_MINE"),
            ),
        ),
        Button(
            name="帮助",
            children=(Button(name="帮助", click="HELP"), Button(name="人工", click="DESK")),
        ),
    )
)
