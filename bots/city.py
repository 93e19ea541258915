"""The city's own account: who answers there, and the menu under the chat."""

from core.chat.menus import Button, Menu
from core.chat.router import Router
from handlers import citizens, common, community, hospital, hospital_moving, transit

DOMAINS = (common, citizens, hospital, hospital_moving, transit, community)
router = Router("city").include(*(each.router for each in DOMAINS))

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
            name="乘车出行",
            children=(
                Button(name="乘车码", click="TRANSIT_CODE"),
                Button(name="我的行程", click="TRANSIT_RIDES"),
                Button(name="查票价", click="TRANSIT_FARE"),
                Button(name="付车费", click="TRANSIT_DEBTS"),
                Button(name="图片码", click="TRANSIT_PICTURE"),
            ),
        ),
        Button(
            name="我的",
            children=(
                Button(name="我的家人", click="FAMILY_MINE"),
                Button(name="绑定", click="FAMILY_BIND"),
                Button(name="我的数据", click="DATA_MINE"),
                Button(name="帮助", click="HELP"),
                Button(name="人工", click="DESK"),
            ),
        ),
    )
)
