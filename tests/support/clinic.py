"""A hospital of one doctor with as many numbers as a trial wants, the first of every list."""

from datetime import timedelta

from core.clock import SystemClock
from core.stores.database import Database

_CLINIC = """
INSERT INTO hospitals (id, name, address, phone, rank) VALUES ('trial', '试验医院', '试验路', '0000-1', 1);
INSERT INTO specialties (id, name, aliases, symptoms, rank) VALUES ('trial', '晨跑门诊', '{}', '{}', 1);
INSERT INTO departments (id, hospital, specialty, place) VALUES ('trial', 'trial', 'trial', '一楼');
INSERT INTO doctors (id, department, surname, given_name, title, skills)
    VALUES ('trial', 'trial', '抢', '手', '主任医师', '');
ALTER TABLE timetables DROP CONSTRAINT timetables_units_check
"""
_TIMETABLE = """
INSERT INTO timetables
    (doctor, weekday, half, class, fee_fen, starts, ends, period_minutes, units, onsite_percent, room)
VALUES ('trial', $1, 'AM', 'general', 0, '08:00', '08:30', 30, $2, 0, '一')
"""


async def found_clinic(db: Database, units: int) -> None:
    """Put it in place before a gateway starts, which opens the day after tomorrow."""
    await db.execute(_CLINIC)
    day = SystemClock().now().date() + timedelta(days=2)
    await db.execute(_TIMETABLE, day.isoweekday(), units)
