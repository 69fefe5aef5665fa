// SPDX-License-Identifier: MIT
// Items that Qt Quick draws in different ways: gradients, text, rotation, opacity, clips, a layer.
import QtQuick

Window {
    width: 320; height: 240; visible: true; color: "black"
    Rectangle {
        id: box
        x: 20; y: 20; width: 120; height: 90; radius: 12; clip: true
        border { width: 3; color: "white" }
        gradient: Gradient {
            GradientStop { position: 0; color: "steelblue" }
            GradientStop { position: 1; color: "tomato" }
        }
        Text { anchors.centerIn: parent; text: "vitrine"; font.pixelSize: 28; color: "white"; style: Text.Outline }
        RotationAnimation on rotation { from: 0; to: 360; duration: 2000; loops: Animation.Infinite }
    }
    Item {
        x: 160; y: 40; width: 140; height: 160; opacity: 0.6; layer.enabled: true; layer.smooth: true
        Repeater {
            model: 40
            Rectangle {
                required property int index
                x: index * 13 % 120; y: index * 29 % 140; width: 24; height: 18; color: Qt.hsla(index / 40, 1, 0.5, 0.8)
                NumberAnimation on scale { from: 0.5; to: 1.5; duration: 500 + 40 * index; loops: Animation.Infinite }
            }
        }
    }
}
