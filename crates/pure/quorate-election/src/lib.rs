//! Ranked-ballot elections with canvass and a phi-accrual failure detector.
#![no_std]

